//! Actions on Stripe's side: subscriptions, invoices, refunds. Each action changes the state under the lock,
//! records its events there, and delivers them afterwards.

use serde_json::{Value, json};

use super::{
    invoices, objects,
    state::{
        BillingReason, Customer, Delivery, Finalized, Invoice, Payment, Period, Refund, Stage, Stripe,
        Subscription, TransactionKind, settle,
    },
};
use crate::{answer::ActionError, config::Plan, world::Side};

/// The state of the stand-in during one action, and the events that the action emits.
struct Billing<'a> {
    stripe: &'a mut Stripe,
    now: i64,
    secret: &'a str,
    events: Vec<String>,
}

impl Side<Stripe> {
    /// Subscribes a person through the Payment Link of a plan.
    pub(crate) async fn subscribe(
        &self,
        user_id: i64,
        name: &str,
        plan_id: &str,
    ) -> Result<Value, ActionError> {
        let plan = self.config().plans.iter().find(|plan| plan.id == plan_id).cloned();
        let plan = plan.ok_or_else(|| ActionError::not_found("there is no such plan"))?;
        self.act(|billing| billing.subscribe(user_id, name, plan)).await
    }

    /// The draft of the next renewal. Answers after the webhook took `invoice.created`.
    pub(crate) async fn next_invoice(&self, user_id: i64) -> Result<Value, ActionError> {
        self.act(|billing| billing.next_invoice(user_id)).await
    }

    /// Finalizes a draft, with the customer balance, and collects it unless told otherwise.
    pub(crate) async fn finalize(
        &self,
        user_id: i64,
        invoice: Option<String>,
        pay: bool,
    ) -> Result<Value, ActionError> {
        self.act(|billing| {
            let id = billing.unfinished(user_id, invoice)?;
            billing.finalize(&id)?;
            if pay {
                billing.pay(&id)?;
            }
            Ok(json!({"invoice": id}))
        })
        .await
    }

    /// Voids an unfinished invoice. Stripe voids only what is finalized, so a draft is finalized first; the credit
    /// it took goes back to the balance.
    pub(crate) async fn void(&self, user_id: i64, invoice: Option<String>) -> Result<Value, ActionError> {
        self.act(|billing| {
            let id = billing.unfinished(user_id, invoice)?;
            billing.finalize(&id)?;
            billing.void(&id)?;
            Ok(json!({"invoice": id}))
        })
        .await
    }

    /// Refunds the last payment, or some of it.
    pub(crate) async fn refund(
        &self,
        user_id: i64,
        invoice: Option<String>,
        amount_minor: Option<i64>,
    ) -> Result<Value, ActionError> {
        self.act(|billing| billing.refund(user_id, invoice, amount_minor)).await
    }

    /// Cancels the subscription at once.
    pub(crate) async fn cancel(&self, user_id: i64) -> Result<Value, ActionError> {
        self.act(|billing| billing.cancel(user_id)).await
    }

    async fn act(
        &self,
        action: impl FnOnce(&mut Billing<'_>) -> Result<Value, ActionError>,
    ) -> Result<Value, ActionError> {
        let now = self.now();
        let (mut answer, events) = self.try_change(|stripe| {
            let secret = self.config().stripe_webhook_secret.as_str();
            let mut billing = Billing { stripe, now, secret, events: Vec::new() };
            let answer = action(&mut billing)?;
            Ok((answer, billing.events))
        })?;
        self.deliver_pending(&events).await;
        let undelivered = self.read(|stripe| {
            let failed = stripe.events.iter().filter(|event| event.status == Delivery::Failed);
            failed.filter(|event| events.contains(&event.id)).count()
        });
        answer["events"] = json!(events);
        answer["undelivered"] = json!(undelivered);
        Ok(answer)
    }
}

impl Billing<'_> {
    fn emit(&mut self, kind: &str, object: Value, previous: Option<Value>) {
        let id = self.stripe.emit(self.now, self.secret, kind, object, previous);
        self.events.push(id);
    }

    fn emit_invoice(&mut self, kind: &str, id: &str) -> Result<(), ActionError> {
        let invoice = self.stripe.invoice(id).ok_or_else(no_such_invoice)?;
        let customer = self.stripe.customers.get(&invoice.customer).ok_or_else(no_customer)?;
        let object = invoices::invoice(invoice, customer);
        self.emit(kind, object, None);
        Ok(())
    }

    fn emit_customer(&mut self, kind: &str, id: &str, previous: Option<Value>) {
        if let Some(object) = self.stripe.customers.get(id).map(objects::customer) {
            self.emit(kind, object, previous);
        }
    }

    fn subscribe(&mut self, user_id: i64, name: &str, plan: Plan) -> Result<Value, ActionError> {
        let existing = self.stripe.customer_of_user(user_id).map(|customer| customer.id.clone());
        if existing.as_ref().is_some_and(|id| self.stripe.active_subscription(id).is_some()) {
            return Err(ActionError::conflict("this user has a subscription already: cancel it first"));
        }
        let is_new = existing.is_none();
        let customer = existing.unwrap_or_else(|| self.new_customer(user_id, name, &plan));
        let period = Period { start: self.now, end: objects::period_end(self.now) };
        let subscription = Subscription {
            id: self.stripe.next_id("sub"),
            item: self.stripe.next_id("si"),
            customer: customer.clone(),
            plan,
            created: self.now,
            period,
            latest_invoice: String::new(),
            canceled_at: None,
        };
        let subscription_id = subscription.id.clone();
        self.stripe.subscriptions.push(subscription.clone());
        let invoice = self.new_invoice(&subscription, BillingReason::SubscriptionCreate, period);
        // The first invoice of a subscription has no draft hour: its `invoice.created` may already say `open`.
        self.finalize_quietly(&invoice)?;
        self.emit_checkout(user_id, &invoice)?;
        if is_new {
            self.emit_customer("customer.created", &customer, None);
        }
        self.emit_subscription("customer.subscription.created", &subscription_id, None);
        self.emit_invoice("invoice.created", &invoice)?;
        self.emit_invoice("invoice.finalized", &invoice)?;
        self.pay(&invoice)?;
        Ok(json!({"customer": customer, "subscription": subscription_id, "invoice": invoice}))
    }

    fn new_customer(&mut self, user_id: i64, name: &str, plan: &Plan) -> String {
        let mut customer = Customer::new(self.stripe.next_id("cus"), self.now);
        customer.name = Some(name.to_owned());
        customer.email = Some(format!("user{user_id}@example.com"));
        customer.currency = Some(plan.currency.clone());
        customer.user_id = Some(user_id);
        let id = customer.id.clone();
        self.stripe.customers.insert(id.clone(), customer);
        id
    }

    fn emit_checkout(&mut self, user_id: i64, invoice_id: &str) -> Result<(), ActionError> {
        let id = self.stripe.next_id("cs_test");
        let invoice = self.stripe.invoice(invoice_id).ok_or_else(no_such_invoice)?;
        let customer = self.stripe.customers.get(&invoice.customer).ok_or_else(no_customer)?;
        let session = objects::checkout_session(&id, &user_id.to_string(), customer, invoice);
        self.emit("checkout.session.completed", session, None);
        Ok(())
    }

    fn emit_subscription(&mut self, kind: &str, id: &str, previous: Option<Value>) {
        let object = self.stripe.subscriptions.iter().find(|subscription| subscription.id == id);
        if let Some(object) = object.map(objects::subscription) {
            self.emit(kind, object, previous);
        }
    }

    fn new_invoice(&mut self, subscription: &Subscription, reason: BillingReason, period: Period) -> String {
        let id = self.stripe.next_id("in");
        let same_customer =
            self.stripe.invoices.iter().filter(|other| other.customer == subscription.customer);
        let number =
            format!("{}-{:04}", objects::invoice_prefix(&subscription.customer), same_customer.count() + 1);
        let line = self.stripe.next_id("il");
        self.stripe.invoices.push(Invoice {
            id: id.clone(),
            number,
            line,
            customer: subscription.customer.clone(),
            subscription: subscription.id.clone(),
            item: subscription.item.clone(),
            plan: subscription.plan.clone(),
            reason,
            created: self.now,
            period,
            delivered_at: None,
            stage: Stage::Draft,
        });
        for own in self.stripe.subscriptions.iter_mut().filter(|own| own.id == subscription.id) {
            (own.latest_invoice, own.period) = (id.clone(), period);
        }
        id
    }

    fn next_invoice(&mut self, user_id: i64) -> Result<Value, ActionError> {
        let customer = self.customer_of(user_id)?;
        let subscription = self.stripe.active_subscription(&customer).cloned();
        let subscription =
            subscription.ok_or_else(|| ActionError::conflict("this user has no running subscription"))?;
        if self.stripe.invoices.iter().any(|invoice| invoice.customer == customer && invoice.is_unfinished())
        {
            return Err(ActionError::conflict("there is an unfinished invoice: finalize or void it first"));
        }
        let start = subscription.period.end;
        let period = Period { start, end: objects::period_end(start) };
        let id = self.new_invoice(&subscription, BillingReason::SubscriptionCycle, period);
        let old = subscription.period;
        let previous = json!({
            "items": {"data": [{"current_period_end": old.end, "current_period_start": old.start}]},
            "latest_invoice": subscription.latest_invoice,
        });
        self.emit_subscription("customer.subscription.updated", &subscription.id, Some(previous));
        self.emit_invoice("invoice.created", &id)?;
        Ok(json!({"customer": customer, "subscription": subscription.id, "invoice": id}))
    }

    /// The named invoice, or the user's only unfinished one.
    fn unfinished(&self, user_id: i64, invoice: Option<String>) -> Result<String, ActionError> {
        let customer = self.customer_of(user_id)?;
        let mut candidates = self.stripe.invoices.iter().rev().filter(|found| {
            found.customer == customer
                && invoice.as_ref().is_none_or(|id| *id == found.id)
                && found.is_unfinished()
        });
        let found = candidates.next().map(|invoice| invoice.id.clone());
        found.ok_or_else(|| ActionError::conflict("there is no unfinished invoice"))
    }

    /// Finalizes a draft and says so; does nothing to an open invoice.
    fn finalize(&mut self, id: &str) -> Result<(), ActionError> {
        let invoice = self.stripe.invoice(id).ok_or_else(no_such_invoice)?;
        if invoice.finalized().is_some() {
            return Ok(());
        }
        let customer = invoice.customer.clone();
        let before = self.stripe.customers.get(&customer).map_or(0, Customer::balance);
        self.finalize_quietly(id)?;
        self.emit_balance_change(&customer, before);
        self.emit_invoice("invoice.finalized", id)
    }

    fn emit_balance_change(&mut self, customer: &str, before: i64) {
        let after = self.stripe.customers.get(customer).map_or(0, Customer::balance);
        if after != before {
            self.emit_customer("customer.updated", customer, Some(json!({"balance": before})));
        }
    }

    /// Applies the customer balance to a draft and opens it.
    fn finalize_quietly(&mut self, id: &str) -> Result<(), ActionError> {
        let invoice = self.stripe.invoice(id).cloned().ok_or_else(no_such_invoice)?;
        let customer = self.stripe.customers.get(&invoice.customer).ok_or_else(no_customer)?;
        let starting = customer.balance_in(&invoice.plan.currency);
        let overflow = || ActionError::conflict("the amounts overflow");
        let (due_minor, ending) = settle(starting, invoice.total_minor()).ok_or_else(overflow)?;
        let applied = ending.checked_sub(starting).ok_or_else(overflow)?;
        self.stripe.post_for_invoice(&invoice, TransactionKind::AppliedToInvoice, applied, self.now)?;
        let finalized = Finalized {
            at: self.now,
            starting_balance_minor: starting,
            ending_balance_minor: ending,
            due_minor,
        };
        self.set_stage(id, Stage::Open { finalized });
        Ok(())
    }

    fn set_stage(&mut self, id: &str, stage: Stage) {
        if let Some(invoice) = self.stripe.invoice_mut(id) {
            invoice.stage = stage;
        }
    }

    /// Collects an open invoice. Without anything due there is no charge, and the invoice is paid all the same.
    fn pay(&mut self, id: &str) -> Result<(), ActionError> {
        let finalized = self.open(id)?;
        let payment = (finalized.due_minor > 0).then(|| Payment {
            charge: self.stripe.next_id("ch"),
            payment_intent: self.stripe.next_id("pi"),
            invoice_payment: self.stripe.next_id("inpay"),
            amount_minor: finalized.due_minor,
            refunded_minor: 0,
        });
        let paid_at = self.now;
        self.set_stage(id, Stage::Paid { finalized, paid_at, payment: payment.clone() });
        if let (Some(payment), Some(invoice)) = (&payment, self.stripe.invoice(id)) {
            let intent = objects::payment_intent(invoice, payment, paid_at);
            let link = objects::invoice_payment(invoice, payment, paid_at);
            self.emit("payment_intent.succeeded", intent, None);
            self.emit("invoice_payment.paid", link, None);
        }
        self.emit_invoice("invoice.paid", id)?;
        self.emit_invoice("invoice.payment_succeeded", id)
    }

    fn open(&self, id: &str) -> Result<Finalized, ActionError> {
        match self.stripe.invoice(id).map(|invoice| &invoice.stage) {
            Some(Stage::Open { finalized }) => Ok(*finalized),
            _ => Err(ActionError::conflict("the invoice is not open")),
        }
    }

    fn void(&mut self, id: &str) -> Result<(), ActionError> {
        let finalized = self.open(id)?;
        let invoice = self.stripe.invoice(id).cloned().ok_or_else(no_such_invoice)?;
        let before = self.stripe.customers.get(&invoice.customer).map_or(0, Customer::balance);
        let returned = finalized.starting_balance_minor.checked_sub(finalized.ending_balance_minor);
        let returned = returned.ok_or_else(|| ActionError::conflict("the amounts overflow"))?;
        self.stripe.post_for_invoice(&invoice, TransactionKind::UnappliedFromInvoice, returned, self.now)?;
        self.set_stage(id, Stage::Void { finalized, voided_at: self.now });
        self.emit_balance_change(&invoice.customer, before);
        self.emit_invoice("invoice.voided", id)
    }

    fn refund(
        &mut self,
        user_id: i64,
        wanted: Option<String>,
        amount_minor: Option<i64>,
    ) -> Result<Value, ActionError> {
        let customer = self.customer_of(user_id)?;
        let (now, id) = (self.now, self.stripe.next_id("re"));
        let paid = self.stripe.invoices.iter_mut().rev().find(|invoice| {
            let refundable = invoice.payment().is_some_and(|paid| paid.refunded_minor < paid.amount_minor);
            refundable && invoice.customer == customer && wanted.as_ref().is_none_or(|id| *id == invoice.id)
        });
        let invoice = paid.ok_or_else(|| ActionError::conflict("there is no payment left to refund"))?;
        let Stage::Paid { paid_at, payment: Some(payment), .. } = &mut invoice.stage else {
            return Err(ActionError::conflict("there is no payment left to refund"));
        };
        let (paid_at, before) = (*paid_at, payment.refunded_minor);
        let left = payment.amount_minor.saturating_sub(before);
        let amount_minor = amount_minor.unwrap_or(left);
        if amount_minor < 1 || amount_minor > left {
            return Err(ActionError::invalid(format!("the refund must be between 1 and {left}")));
        }
        payment.refunded_minor = before.saturating_add(amount_minor);
        let refund = Refund {
            id,
            charge: payment.charge.clone(),
            payment_intent: payment.payment_intent.clone(),
            customer,
            amount_minor,
            currency: invoice.plan.currency.clone(),
            created: now,
        };
        let payment = payment.clone();
        let charge = objects::charge(invoice, &payment, paid_at);
        let answer = json!({"refund": refund.id, "charge": refund.charge, "invoice": invoice.id});
        self.emit("refund.created", objects::refund(&refund), None);
        let previous = json!({"amount_refunded": before, "refunded": false});
        self.emit("charge.refunded", charge, Some(previous));
        self.stripe.refunds.push(refund);
        Ok(answer)
    }

    fn cancel(&mut self, user_id: i64) -> Result<Value, ActionError> {
        let customer = self.customer_of(user_id)?;
        let running = self.stripe.active_subscription(&customer).map(|subscription| subscription.id.clone());
        let id = running.ok_or_else(|| ActionError::conflict("this user has no running subscription"))?;
        for subscription in self.stripe.subscriptions.iter_mut().filter(|subscription| subscription.id == id)
        {
            subscription.canceled_at = Some(self.now);
        }
        self.emit_subscription("customer.subscription.deleted", &id, None);
        Ok(json!({"subscription": id}))
    }

    fn customer_of(&self, user_id: i64) -> Result<String, ActionError> {
        let customer = self.stripe.customer_of_user(user_id).map(|customer| customer.id.clone());
        customer
            .ok_or_else(|| ActionError::not_found("this user is not a Stripe customer yet: subscribe first"))
    }
}

fn no_such_invoice() -> ActionError {
    ActionError::not_found("there is no such invoice")
}

fn no_customer() -> ActionError {
    ActionError::not_found("the invoice has no customer")
}
