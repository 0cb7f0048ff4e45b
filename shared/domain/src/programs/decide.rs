//! `decide` is pure: the same payment, surroundings and program always give the same decision. So the
//! decision for a redelivered webhook can be compared with what is booked.

use std::collections::BTreeMap;

use crate::{
    ids::{IdError, Rail, RuleId},
    money::{Money, MoneyError},
    payments::{Candidate, PaymentFacts, Place, Refusal, Verdict},
    programs::{
        Amount, Beneficiary, ExchangeRate, Grant, Party, Program, Rule, RuleSnapshot, Surroundings, Trigger,
    },
    referrals::{Progress, Referral},
};

/// The result of a decision about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Decision {
    /// Each rule's decision, in the program's order. Empty for a program without rules.
    pub trace: Vec<Candidate>,
    /// The commissions to book.
    pub grants: Vec<Grant>,
    /// The referral's new counts, if a rule that counts applied to the payment.
    pub progress: Option<BTreeMap<RuleId, Progress>>,
}

impl Decision {
    /// True when the payment converts the referral.
    pub fn converts(&self) -> bool {
        self.grants.iter().any(|grant| matches!(grant.place, Place::Conversion { .. }))
    }
}

/// A number that could not be computed. A program that was checked when it was loaded never causes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecideError {
    /// An amount does not fit.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// The commission's id does not fit.
    #[error(transparent)]
    Id(#[from] IdError),
}

impl Program {
    /// Decides what `payment` earns. Each rule decides on its own; within a rule, refusals are tried in a
    /// fixed order, so the reason shown is always the first that applies.
    ///
    /// # Errors
    /// [`DecideError`] when a number does not fit.
    pub fn decide(&self, payment: &PaymentFacts, around: &Surroundings) -> Result<Decision, DecideError> {
        let mut decision = Decision { trace: Vec::new(), grants: Vec::new(), progress: None };
        for rule in &self.rules {
            let ask = Asked { program: self, rule, payment, around };
            let verdict = match ask.eligible()? {
                Err(reason) => Verdict::Refused { reason },
                Ok(eligible) => ask.count(&eligible, &mut decision)?,
            };
            decision.trace.push(Candidate {
                rule: rule.id.clone(),
                level: rule.beneficiary.level(),
                verdict,
            });
        }
        Ok(decision)
    }
}

/// One rule and the payment it decides about.
struct Asked<'a> {
    program: &'a Program,
    rule: &'a Rule,
    payment: &'a PaymentFacts,
    around: &'a Surroundings,
}

/// A payment that satisfies the rule. Whether the rule fires now is decided later.
struct Eligible<'a> {
    referral: &'a Referral,
    beneficiary: &'a Party,
    /// The amount in the rule's currency.
    base: Money,
    cost: Money,
    exchange: Option<ExchangeRate>,
}

impl<'a> Asked<'a> {
    fn eligible(&self) -> Result<Result<Eligible<'a>, Refusal>, MoneyError> {
        let (rule, payment) = (self.rule, self.payment);
        if rule.trigger.purpose() != payment.purpose {
            return Ok(Err(Refusal::OtherPurpose));
        }
        let referral = match self.referral() {
            Ok(referral) => referral,
            Err(reason) => return Ok(Err(reason)),
        };
        let beneficiary = match self.beneficiary() {
            Ok(beneficiary) => beneficiary,
            Err(reason) => return Ok(Err(reason)),
        };
        let net = payment.net_of(&rule.products)?;
        if !payment.net()?.is_positive() {
            return Ok(Err(Refusal::ZeroAmount));
        }
        if !net.is_positive() {
            return Ok(Err(Refusal::OtherProduct));
        }
        let Some((base, tier, cost, exchange)) = self.in_rule_currency(net)? else {
            return Ok(Err(Refusal::CurrencyMismatch));
        };
        // A price that was not paid counts for nothing, and money beyond the price is a tip or a mistake.
        if base.minor().min(tier.minor()) < rule.minimum_payment.minor() {
            return Ok(Err(Refusal::BelowMinimum));
        }
        Ok(Ok(Eligible { referral, beneficiary, base, cost, exchange }))
    }

    /// Returns the payer's referral, if this payment may earn under it.
    fn referral(&self) -> Result<&'a Referral, Refusal> {
        let referral = self.around.referral.as_ref().ok_or(Refusal::NotReferred)?;
        if self.payment.paid_at.is_seconds_before(referral.joined_at)
            || self.payment.known_at < referral.joined_at
        {
            return Err(Refusal::BeforeReferral);
        }
        let converted = referral.is_converted();
        let once = self.rule.trigger == Trigger::FirstPayment;
        if once && (converted || self.around.spent.contains(&self.rule.id)) {
            return Err(Refusal::AlreadyConverted);
        }
        if !converted && !self.payment.paid_at.is_seconds_before(referral.expires_at) {
            return Err(Refusal::ReferralExpired);
        }
        Ok(referral)
    }

    fn beneficiary(&self) -> Result<&'a Party, Refusal> {
        let standing = match self.rule.beneficiary {
            Beneficiary::Upline => self.upline()?,
            Beneficiary::Referrer | Beneficiary::Referee => {
                self.around.referrer.as_ref().ok_or(Refusal::NotReferred)?
            }
        };
        if standing.barred { Err(Refusal::BeneficiaryBarred) } else { Ok(standing) }
    }

    /// Returns the upline. Refuses when level 2 is off, no money settled, there is no upline, or the upline
    /// made no payment within `upline_active_days` before this one.
    fn upline(&self) -> Result<&'a Party, Refusal> {
        if !self.program.second_level {
            return Err(Refusal::SecondLevelOff);
        }
        if self.payment.key.rail == Rail::Manual {
            return Err(Refusal::NotSettled);
        }
        let upline = self.around.upline.as_ref().ok_or(Refusal::NoUpline)?;
        if upline.member == self.payment.member {
            return Err(Refusal::NoUpline);
        }
        let active_since =
            self.program.upline_active_days.map(|days| self.payment.paid_at.plus_days(days.saturating_neg()));
        match active_since {
            Some(since) if upline.last_paid_at.is_none_or(|paid| paid < since) => {
                Err(Refusal::UplineInactive)
            }
            _ => Ok(upline),
        }
    }

    /// Converts base, tier and cost to the currency of the rule's minimum, which is the program's.
    #[expect(clippy::type_complexity, reason = "three amounts and the rate that made them")]
    fn in_rule_currency(
        &self,
        net: Money,
    ) -> Result<Option<(Money, Money, Money, Option<ExchangeRate>)>, MoneyError> {
        let (payment, wanted) = (self.payment, self.rule.minimum_payment.currency());
        if net.currency() == wanted && payment.tier.currency() == wanted {
            return Ok(Some((net, payment.tier, payment.cost, None)));
        }
        let rate = self.program.rates.iter().find(|r| r.from == net.currency() && r.to == wanted);
        let Some(rate) = rate.filter(|_| payment.tier.currency() == net.currency()) else { return Ok(None) };
        let cost = if payment.cost.currency() == wanted { payment.cost } else { rate.convert(payment.cost)? };
        Ok(Some((rate.convert(net)?, rate.convert(payment.tier)?, cost, Some(*rate))))
    }

    /// Counts the payment if the rule counts, and grants when it fires.
    fn count(&self, eligible: &Eligible<'_>, decision: &mut Decision) -> Result<Verdict, DecideError> {
        if let Some(reason) = self.waits(eligible.referral, decision) {
            return Ok(Verdict::Refused { reason });
        }
        let amount = self.rule.amount_for(eligible.base, eligible.cost)?;
        if !amount.is_positive() {
            let loss = matches!(self.rule.amount, Amount::PercentOfProfit { .. })
                && eligible.cost.minor() >= eligible.base.minor();
            let reason = if loss { Refusal::NoProfit } else { Refusal::TooSmall };
            return Ok(Verdict::Refused { reason });
        }
        let grant = self.grant(eligible, amount, decision)?;
        let verdict =
            Verdict::Granted { beneficiary: grant.beneficiary.clone(), reward: amount, place: grant.place };
        decision.grants.push(grant);
        Ok(verdict)
    }

    /// Counts this payment if the rule counts, and returns the reason why it does not fire now. Nothing is
    /// counted beyond the number that the rule waits for.
    fn waits(&self, referral: &Referral, decision: &mut Decision) -> Option<Refusal> {
        if !self.rule.trigger.counts() {
            return None;
        }
        let all = decision.progress.get_or_insert_with(|| referral.progress.clone());
        let progress = all.entry(self.rule.id.clone()).or_default();
        let (so_far, wanted) = match self.rule.trigger {
            Trigger::Months(n) => (progress.months.len(), n as usize),
            Trigger::NthPayment(n) => (progress.payments as usize, n as usize),
            _ => return None,
        };
        if so_far >= wanted {
            return Some(Refusal::AlreadyConverted);
        }
        let counted = if matches!(self.rule.trigger, Trigger::Months(_)) {
            let month = self.payment.paid_at.month();
            let new = !progress.months.contains(&month);
            progress.months.extend(new.then_some(month));
            new
        } else {
            progress.payments = progress.payments.saturating_add(1);
            true
        };
        (!counted || so_far.saturating_add(1) < wanted).then_some(Refusal::NotYet)
    }

    fn grant(
        &self,
        eligible: &Eligible<'_>,
        amount: Money,
        decision: &Decision,
    ) -> Result<Grant, DecideError> {
        let (rule, payment) = (self.rule, self.payment);
        let level = rule.beneficiary.level();
        let beneficiary = match rule.beneficiary {
            Beneficiary::Referee => payment.member.clone(),
            Beneficiary::Referrer | Beneficiary::Upline => eligible.beneficiary.member.clone(),
        };
        Ok(Grant {
            commission: payment.key.commission(&rule.id, level)?,
            beneficiary,
            amount,
            base: eligible.base,
            due_at: payment.paid_at.plus_seconds(rule.hold_seconds),
            place: self.place(eligible.referral, decision),
            snapshot: RuleSnapshot {
                version: self.program.version,
                level,
                rule: rule.clone(),
                budget: self.program.budget,
                exchange: eligible.exchange,
            },
        })
    }

    /// Chooses the place: the referrer's first commission converts the referral; other commissions that are
    /// granted once are guarded by their rule's own place.
    fn place(&self, referral: &Referral, decision: &Decision) -> Place {
        let joined_at = referral.joined_at;
        let level_one = self.rule.beneficiary == Beneficiary::Referrer;
        if level_one && !referral.is_converted() && !decision.converts() {
            Place::Conversion { joined_at, attempt: referral.undone }
        } else if self.rule.trigger == Trigger::FirstPayment {
            let attempt = self.around.undone.get(&self.rule.id).copied().unwrap_or_default();
            Place::Once { joined_at, attempt }
        } else {
            Place::Payment
        }
    }
}
