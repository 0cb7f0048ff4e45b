//! `decide` is pure: the same payment, surroundings and program always give the same decision. So the
//! decision for a redelivered webhook can be compared with what is booked.

use std::collections::BTreeMap;

use crate::{
    exchange::ExchangeRate,
    ids::{Rail, RuleId},
    money::{Money, MoneyError},
    payments::{Candidate, PaymentFacts, Place, Refusal, Verdict},
    programs::{Beneficiary, Grant, Party, Program, Rule, RuleSnapshot, Surroundings, Trigger},
    referrals::{Counted, Progress, Referral},
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

impl Program {
    /// Decides what `payment` earns. Each rule decides on its own; within a rule, refusals are tried in a
    /// fixed order, so the reason shown is always the first that applies. No rule makes a payment impossible to book:
    /// one whose numbers do not fit refuses as [`Refusal::NotComputable`].
    pub fn decide(&self, payment: &PaymentFacts, around: &Surroundings) -> Decision {
        let mut decision = Decision { trace: Vec::new(), grants: Vec::new(), progress: None };
        for rule in &self.rules {
            let ask = Asked { program: self, rule, payment, around };
            let (verdict, counted) = match ask.eligible() {
                Ok(eligible) => ask.count(&eligible, &mut decision),
                Err(reason) => (Verdict::Refused { reason }, None),
            };
            decision.trace.push(Candidate {
                rule: rule.id.clone(),
                level: rule.beneficiary.level(),
                version: None,
                counted,
                verdict,
            });
        }
        decision
    }

    /// True when `payment` satisfies the rule, whether or not the rule has rewarded another payment before.
    pub fn is_satisfied(&self, rule: &Rule, payment: &PaymentFacts, around: &Surroundings) -> bool {
        let fresh = Surroundings { spent: BTreeMap::new(), converted_by: Some("".into()), ..around.clone() };
        Asked { program: self, rule, payment, around: &fresh }.eligible().is_ok()
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
    /// What it costs to make, in the rule's currency; zero where the rule does not ask.
    cost: Money,
    /// The reward, if the rule fires.
    amount: Money,
    exchange: Option<ExchangeRate>,
}

/// Amounts of a payment in the rule's currency, and the rate that made them.
struct Converted {
    base: Money,
    tier: Money,
    exchange: Option<ExchangeRate>,
}

fn not_computable(_: MoneyError) -> Refusal {
    Refusal::NotComputable
}

impl<'a> Asked<'a> {
    fn eligible(&self) -> Result<Eligible<'a>, Refusal> {
        let (rule, payment) = (self.rule, self.payment);
        if rule.trigger.purpose() != payment.purpose {
            return Err(Refusal::OtherPurpose);
        }
        let referral = self.referral()?;
        let beneficiary = self.beneficiary()?;
        let net = payment.net_of(&rule.products).map_err(not_computable)?;
        if !payment.net().map_err(not_computable)?.is_positive() {
            return Err(Refusal::ZeroAmount);
        }
        if !net.is_positive() {
            return Err(Refusal::OtherProduct);
        }
        let Converted { base, tier, exchange } = self.in_rule_currency(net)?;
        // A price that was not paid counts for nothing, and money beyond the price is a tip or a mistake.
        if base.minor().min(tier.minor()) < rule.minimum_payment.minor() {
            return Err(Refusal::BelowMinimum);
        }
        let cost = rule.cost_of(payment, base, exchange).map_err(not_computable)?;
        let cost = cost.ok_or(Refusal::CostUnknown)?;
        if cost.currency() != base.currency() {
            return Err(Refusal::CurrencyMismatch);
        }
        let amount = rule.amount_for(base, cost).map_err(not_computable)?;
        Ok(Eligible { referral, beneficiary, base, cost, amount, exchange })
    }

    /// Returns the payer's referral, if this payment may earn under it.
    fn referral(&self) -> Result<&'a Referral, Refusal> {
        let referral = self.around.referral.as_ref().ok_or(Refusal::NotReferred)?;
        if self.payment.paid_at.is_seconds_before(referral.joined_at)
            || self.payment.known_at < referral.joined_at
        {
            return Err(Refusal::BeforeReferral);
        }
        if self.rule.trigger == Trigger::FirstPayment && self.is_rewarded(referral) {
            return Err(Refusal::AlreadyConverted);
        }
        // Who has converted or pays regularly stays a referee, however long ago they joined.
        let stays = referral.is_converted() || referral.is_counting();
        if !stays && !self.payment.paid_at.is_seconds_before(referral.expires_at) {
            return Err(Refusal::ReferralExpired);
        }
        Ok(referral)
    }

    /// True when the rule, which rewards a first payment, has rewarded one: in its own place, or as the conversion.
    fn is_rewarded(&self, referral: &Referral) -> bool {
        let by_conversion = || self.around.converted_by.as_ref().is_none_or(|rule| *rule == self.rule.id);
        self.around.spent.contains_key(&self.rule.id) || (referral.is_converted() && by_conversion())
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

    /// Converts base and tier to the currency of the rule's minimum, which is the program's.
    fn in_rule_currency(&self, net: Money) -> Result<Converted, Refusal> {
        let (tier, wanted) = (self.payment.tier, self.rule.minimum_payment.currency());
        if net.currency() == wanted && tier.currency() == wanted {
            return Ok(Converted { base: net, tier, exchange: None });
        }
        let rate = self.program.rate(net.currency(), wanted);
        let rate = rate.filter(|_| tier.currency() == net.currency()).ok_or(Refusal::CurrencyMismatch)?;
        let base = rate.convert(net).map_err(not_computable)?;
        let tier = rate.convert(tier).map_err(not_computable)?;
        Ok(Converted { base, tier, exchange: Some(rate) })
    }

    /// Counts the payment if the rule counts, and grants when it fires.
    fn count(&self, eligible: &Eligible<'_>, decision: &mut Decision) -> (Verdict, Option<Counted>) {
        let refused = |reason, counted| (Verdict::Refused { reason }, counted);
        let counted = match self.counted(eligible.referral, decision) {
            Ok(counted) => counted,
            Err((reason, counted)) => return refused(reason, counted),
        };
        if !eligible.amount.is_positive() {
            let loss = self.rule.shares_profit() && eligible.cost.minor() >= eligible.base.minor();
            return refused(if loss { Refusal::NoProfit } else { Refusal::TooSmall }, counted);
        }
        let Some(grant) = self.grant(eligible, decision) else {
            return refused(Refusal::NotComputable, counted);
        };
        if let (Some(_), Some(all)) = (counted, &mut decision.progress) {
            all.entry(self.rule.id.clone()).or_default().rewarded = Some(self.payment.key.clone());
        }
        let (beneficiary, place) = (grant.beneficiary.clone(), grant.place);
        decision.grants.push(grant);
        (Verdict::Granted { beneficiary, reward: eligible.amount, place }, counted)
    }

    /// Counts this payment if the rule counts. The error is the reason why the rule does not fire now. After it has
    /// fired, nothing is counted.
    fn counted(
        &self,
        referral: &Referral,
        decision: &mut Decision,
    ) -> Result<Option<Counted>, (Refusal, Option<Counted>)> {
        let Some(counted) = self.rule.trigger.counted() else { return Ok(None) };
        let (Trigger::NthPayment(wanted) | Trigger::Months(wanted)) = self.rule.trigger else {
            return Ok(None);
        };
        let all = decision.progress.get_or_insert_with(|| referral.progress.clone());
        let progress = all.entry(self.rule.id.clone()).or_default();
        if progress.rewarded.is_some() {
            return Err((Refusal::AlreadyConverted, None));
        }
        let (so_far, is_new) = progress.count(counted, self.payment.paid_at.month());
        if is_new && so_far >= wanted as usize {
            Ok(Some(counted))
        } else {
            Err((Refusal::NotYet, Some(counted)))
        }
    }

    /// Makes the commission. None when its id does not fit, which no rail's id causes.
    fn grant(&self, eligible: &Eligible<'_>, decision: &Decision) -> Option<Grant> {
        let (rule, payment) = (self.rule, self.payment);
        let level = rule.beneficiary.level();
        let beneficiary = match rule.beneficiary {
            Beneficiary::Referee => payment.member.clone(),
            Beneficiary::Referrer | Beneficiary::Upline => eligible.beneficiary.member.clone(),
        };
        Some(Grant {
            commission: payment.key.commission(&rule.id, level).ok()?,
            beneficiary,
            amount: eligible.amount,
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
    /// granted for a first payment are guarded by their rule's own place. A rule that has used its own place stays there.
    fn place(&self, referral: &Referral, decision: &Decision) -> Place {
        let joined_at = referral.joined_at;
        let attempt = self.around.undone.get(&self.rule.id).copied().unwrap_or_default();
        let level_one = self.rule.beneficiary == Beneficiary::Referrer;
        if level_one && !referral.is_converted() && !decision.converts() && attempt == 0 {
            Place::Conversion { joined_at, attempt: referral.undone }
        } else if self.rule.trigger == Trigger::FirstPayment {
            Place::Once { joined_at, attempt }
        } else {
            Place::Payment
        }
    }
}
