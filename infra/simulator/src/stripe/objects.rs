//! The JSON shapes of API version 2026-10-28.endive, all but invoices.

use serde_json::{Value, json};

use super::state::{Customer, Invoice, PERIOD_SECONDS, Payment, Refund, Subscription, Transaction};
use crate::config::Plan;

/// The version every event and answer of the stand-in speaks.
pub(crate) const API_VERSION: &str = "2026-10-28.endive";

pub(crate) fn customer(customer: &Customer) -> Value {
    // `balance` and `invoice_credit_balance` have opposite signs; that is Stripe's doing.
    let credit: serde_json::Map<String, Value> = customer
        .balances
        .iter()
        .map(|(currency, minor)| (currency.clone(), json!(minor.saturating_neg())))
        .collect();
    json!({
        "id": customer.id, "object": "customer", "address": null, "balance": customer.balance(),
        "created": customer.created, "currency": customer.currency, "customer_account": null,
        "default_source": null, "delinquent": false, "description": customer.description, "discount": null,
        "email": customer.email, "invoice_credit_balance": credit,
        "invoice_prefix": invoice_prefix(&customer.id),
        "invoice_settings": {
            "custom_fields": null, "default_payment_method": null, "footer": null, "rendering_options": null,
        },
        "livemode": false, "metadata": customer.metadata, "name": customer.name, "next_invoice_sequence": 1,
        "phone": null, "preferred_locales": [], "shipping": null, "tax_exempt": "none", "test_clock": null,
    })
}

/// Stripe numbers invoices per customer, after a prefix of eight characters.
pub(crate) fn invoice_prefix(customer_id: &str) -> String {
    let letters: String = customer_id.chars().filter(char::is_ascii_alphanumeric).collect();
    let tail = &letters[letters.len().saturating_sub(8)..];
    format!("{tail:0>8}").to_uppercase()
}

pub(crate) fn transaction(line: &Transaction) -> Value {
    json!({
        "id": line.id, "object": "customer_balance_transaction", "amount": line.amount_minor,
        "checkout_session": null, "created": line.created, "credit_note": null, "currency": line.currency,
        "customer": line.customer, "customer_account": null, "description": line.description,
        "ending_balance": line.ending_balance_minor, "invoice": line.invoice, "livemode": false,
        "metadata": line.metadata, "type": line.kind,
    })
}

pub(crate) fn price_id(plan: &Plan) -> String {
    if plan.id.starts_with("price_") { plan.id.clone() } else { format!("price_sim_{}", plan.id) }
}

pub(crate) fn product_id(plan: &Plan) -> String {
    format!("prod_sim_{}", plan.id.trim_start_matches("price_"))
}

fn price(plan: &Plan, created: i64) -> Value {
    json!({
        "id": price_id(plan), "object": "price", "active": true, "billing_scheme": "per_unit",
        "created": created, "currency": plan.currency, "custom_unit_amount": null, "livemode": false,
        "lookup_key": plan.id, "metadata": {"plan": plan.id}, "nickname": plan.name,
        "product": product_id(plan),
        "recurring": {
            "interval": "month", "interval_count": 1, "meter": null, "trial_period_days": null,
            "usage_type": "licensed",
        },
        "tax_behavior": "unspecified", "tiers_mode": null, "transform_quantity": null, "type": "recurring",
        "unit_amount": plan.price_minor, "unit_amount_decimal": plan.price_minor.to_string(),
    })
}

fn legacy_plan(plan: &Plan, created: i64) -> Value {
    json!({
        "id": price_id(plan), "object": "plan", "active": true, "amount": plan.price_minor,
        "amount_decimal": plan.price_minor.to_string(), "billing_scheme": "per_unit", "created": created,
        "currency": plan.currency, "interval": "month", "interval_count": 1, "livemode": false,
        "metadata": {"plan": plan.id}, "meter": null, "nickname": plan.name, "product": product_id(plan),
        "tiers_mode": null, "transform_usage": null, "trial_period_days": null, "usage_type": "licensed",
    })
}

pub(crate) fn subscription(subscription: &Subscription) -> Value {
    let canceled = subscription.canceled_at;
    let status = if canceled.is_some() { "canceled" } else { "active" };
    let mut object = json!({
        "id": subscription.id, "object": "subscription", "application": null, "application_fee_percent": null,
        "automatic_tax": {"disabled_reason": null, "enabled": false, "liability": null},
        "billing_cycle_anchor": subscription.created, "billing_cycle_anchor_config": null,
        "billing_mode": {"flexible": {"proration_discounts": "included"}, "type": "flexible"},
        "billing_schedules": [], "billing_thresholds": null, "cancel_at": null, "cancel_at_period_end": false,
        "canceled_at": canceled,
        "cancellation_details": {
            "comment": null, "feedback": null,
            "reason": canceled.map(|_| "cancellation_requested"),
        },
        "collection_method": "charge_automatically", "created": subscription.created,
        "currency": subscription.plan.currency, "customer": subscription.customer, "customer_account": null,
        "days_until_due": null, "default_payment_method": format!("pm_{}", subscription.id),
        "default_source": null, "default_tax_rates": [], "description": null, "discounts": [],
        "ended_at": canceled, "invoice_settings": {"account_tax_ids": null, "issuer": {"type": "self"}},
        "latest_invoice": subscription.latest_invoice, "livemode": false, "metadata": {},
        "next_pending_invoice_item_invoice": null, "on_behalf_of": null, "pause_collection": null,
    });
    let rest = json!({
        "items": {
            "object": "list", "data": [subscription_item(subscription)], "has_more": false, "total_count": 1,
            "url": format!("/v1/subscription_items?subscription={}", subscription.id),
        },
        "payment_settings": {
            "payment_method_options": null, "payment_method_types": null,
            "save_default_payment_method": "off",
        },
        "pending_invoice_item_interval": null, "pending_setup_intent": null, "pending_update": null,
        "schedule": null, "start_date": subscription.created, "status": status, "test_clock": null,
        "transfer_data": null, "trial_end": null,
        "trial_settings": {"end_behavior": {"missing_payment_method": "create_invoice"}}, "trial_start": null,
    });
    merge(&mut object, rest);
    object
}

fn subscription_item(subscription: &Subscription) -> Value {
    json!({
        "id": subscription.item, "object": "subscription_item", "billing_thresholds": null,
        "created": subscription.created, "current_period_end": subscription.period.end,
        "current_period_start": subscription.period.start, "discounts": [], "metadata": {},
        "plan": legacy_plan(&subscription.plan, subscription.created),
        "price": price(&subscription.plan, subscription.created), "quantity": 1,
        "subscription": subscription.id, "tax_rates": [],
    })
}

/// A finished checkout, as a Payment Link makes it. Only the session carries `client_reference_id`.
pub(crate) fn checkout_session(id: &str, reference: &str, customer: &Customer, invoice: &Invoice) -> Value {
    let mut object = json!({
        "id": id, "object": "checkout.session", "adaptive_pricing": {"enabled": false},
        "after_expiration": null, "allow_promotion_codes": false, "amount_subtotal": invoice.total_minor(),
        "amount_total": invoice.total_minor(),
        "automatic_tax": {"enabled": false, "liability": null, "provider": null, "status": null},
        "billing_address_collection": "auto", "cancel_url": null, "client_reference_id": reference,
        "client_secret": null, "collected_information": null, "consent": null, "consent_collection": null,
        "created": invoice.created, "currency": invoice.plan.currency, "currency_conversion": null,
        "custom_fields": [],
        "custom_text": {
            "after_submit": null, "shipping_address": null, "submit": null, "terms_of_service_acceptance": null,
        },
        "customer": customer.id, "customer_account": null, "customer_creation": "always",
        "customer_details": {
            "address": null, "business_name": null, "email": customer.email, "individual_name": null,
            "name": customer.name, "phone": null, "tax_exempt": "none", "tax_ids": [],
        },
        "customer_email": null, "discounts": [], "expires_at": invoice.created.saturating_add(86_400),
        "invoice": invoice.id, "invoice_creation": null, "livemode": false, "locale": "auto",
        "metadata": {"plan": invoice.plan.id}, "mode": "subscription", "origin_context": null,
    });
    let rest = json!({
        "payment_intent": null, "payment_link": format!("plink_sim_{}", invoice.plan.id),
        "payment_method_collection": "always", "payment_method_configuration_details": null,
        "payment_method_options": null, "payment_method_types": ["card"], "payment_status": "paid",
        "permissions": null, "phone_number_collection": {"enabled": false}, "presentment_details": null,
        "recovered_from": null, "saved_payment_method_options": null, "setup_intent": null,
        "shipping_address_collection": null, "shipping_cost": null, "shipping_options": [],
        "status": "complete", "submit_type": "auto", "subscription": invoice.subscription,
        "success_url": "https://stripe.com",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "ui_mode": "hosted_page", "url": null, "wallet_options": null,
    });
    merge(&mut object, rest);
    object
}

/// Since basil a charge does not name its invoice; `invoice_payment` objects do.
pub(crate) fn charge(invoice: &Invoice, payment: &Payment, paid_at: i64) -> Value {
    let mut object = json!({
        "id": payment.charge, "object": "charge", "amount": payment.amount_minor,
        "amount_captured": payment.amount_minor, "amount_refunded": payment.refunded_minor,
        "application": null, "application_fee": null, "application_fee_amount": null,
        "balance_transaction": format!("txn_{}", payment.charge),
        "billing_details": {
            "address": {
                "city": null, "country": null, "line1": null, "line2": null, "postal_code": null, "state": null,
            },
            "email": null, "name": null, "phone": null, "tax_id": null,
        },
        "calculated_statement_descriptor": "SIMULATED", "captured": true, "created": paid_at,
        "currency": invoice.plan.currency, "customer": invoice.customer,
        "description": match invoice.reason {
            super::state::BillingReason::SubscriptionCreate => "Subscription creation",
            super::state::BillingReason::SubscriptionCycle => "Subscription update",
        },
        "disputed": false, "failure_balance_transaction": null, "failure_code": null, "failure_message": null,
        "fraud_details": {}, "livemode": false, "metadata": {}, "on_behalf_of": null,
    });
    let rest = json!({
        "outcome": {
            "advice_code": null, "network_advice_code": null, "network_decline_code": null,
            "network_status": "approved_by_network", "reason": null, "risk_level": "normal", "risk_score": 21,
            "seller_message": "Payment complete.", "type": "authorized",
        },
        "paid": true, "payment_intent": payment.payment_intent,
        "payment_method": format!("pm_{}", invoice.subscription), "payment_method_details": card(payment),
        "presentment_details": null, "radar_options": {}, "receipt_email": null, "receipt_number": null,
        "receipt_url": null, "refunded": payment.refunded_minor >= payment.amount_minor, "review": null,
        "shipping": null, "source": null, "source_transfer": null, "statement_descriptor": null,
        "statement_descriptor_suffix": null, "status": "succeeded", "transfer_data": null,
        "transfer_group": null,
    });
    merge(&mut object, rest);
    object
}

fn card(payment: &Payment) -> Value {
    json!({
        "card": {
            "amount_authorized": payment.amount_minor, "authorization_code": "617396", "brand": "visa",
            "checks": {
                "address_line1_check": null, "address_postal_code_check": null, "cvc_check": "pass",
            },
            "country": "US", "exp_month": 12, "exp_year": 2034,
            "extended_authorization": {"status": "disabled"}, "fingerprint": "SimulatedCard000",
            "funding": "credit", "incremental_authorization": {"status": "unavailable"}, "installments": null,
            "last4": "4242", "mandate": null, "multicapture": {"status": "unavailable"}, "network": "visa",
            "network_token": {"used": false}, "network_transaction_id": "119528868122817",
            "overcapture": {
                "maximum_amount_capturable": payment.amount_minor, "status": "unavailable",
            },
            "regulated_status": "unregulated", "three_d_secure": null, "wallet": null,
        },
        "type": "card",
    })
}

pub(crate) fn refund(refund: &Refund) -> Value {
    json!({
        "id": refund.id, "object": "refund", "amount": refund.amount_minor,
        "balance_transaction": format!("txn_{}", refund.id), "charge": refund.charge,
        "created": refund.created, "currency": refund.currency, "customer": refund.customer,
        "customer_account": null,
        "destination_details": {
            "card": {"reference_status": "pending", "reference_type": "acquirer_reference_number", "type": "refund"},
            "type": "card",
        },
        "metadata": {}, "payment_intent": refund.payment_intent, "payment_method": null,
        "reason": "requested_by_customer", "receipt_number": null, "source_transfer_reversal": null,
        "status": "succeeded", "transfer_reversal": null,
    })
}

/// The link between an invoice and the payment intent that paid it.
pub(crate) fn invoice_payment(invoice: &Invoice, payment: &Payment, paid_at: i64) -> Value {
    json!({
        "id": payment.invoice_payment, "object": "invoice_payment", "amount_paid": payment.amount_minor,
        "amount_requested": payment.amount_minor, "created": paid_at, "currency": invoice.plan.currency,
        "invoice": invoice.id, "is_default": true, "livemode": false,
        "payment": {"payment_intent": payment.payment_intent, "type": "payment_intent"}, "status": "paid",
        "status_transitions": {"canceled_at": null, "paid_at": paid_at},
    })
}

/// The payment intent that paid an invoice. Since basil it does not name the invoice.
pub(crate) fn payment_intent(invoice: &Invoice, payment: &Payment, paid_at: i64) -> Value {
    json!({
        "id": payment.payment_intent, "object": "payment_intent", "amount": payment.amount_minor,
        "amount_received": payment.amount_minor, "created": paid_at, "currency": invoice.plan.currency,
        "customer": invoice.customer, "customer_account": null, "latest_charge": payment.charge, "livemode": false,
        "metadata": {}, "payment_method_types": ["card"], "status": "succeeded",
    })
}

/// Adds the fields of one object literal to another: one literal of sixty fields is past the macro's limit.
pub(crate) fn merge(object: &mut Value, rest: Value) {
    if let (Value::Object(fields), Value::Object(more)) = (object, rest) {
        fields.extend(more);
    }
}

/// The end of a period that starts here.
pub(crate) fn period_end(start: i64) -> i64 {
    start.saturating_add(PERIOD_SECONDS)
}
