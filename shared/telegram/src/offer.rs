//! The offer of the program in force, in words, rule by rule.

use guerdon_domain::{
    money::{Currency, Money},
    programs::{Amount, Beneficiary, Program, Rule, Trigger},
    settings::{Plan, Preset},
    wallets::WalletKind,
};

use crate::{
    purse::Purse,
    texts::{OfferTexts, Texts, fill_html},
};

/// The offer to a member who invites friends. Its texts are not HTML yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offer {
    /// The reward, as a phrase that follows "you"; none when nothing is promised.
    pub promise: Option<String>,
    /// The lowest price of a plan that counts.
    pub counts_from: Option<Money>,
    /// The sentence about a friend in the message about a reward, with `{friend}` where the name may be shown.
    pub news: &'static str,
}

impl Offer {
    /// Makes the offer of `program`.
    pub fn of(words: &Texts, preset: &Preset, program: &Program) -> Self {
        let text = &words.offer;
        let headline = program.headline();
        let phrase = |rule: &&Rule| Phrase { text, preset, rule }.whole();
        let at = |beneficiary| program.rules.iter().filter(move |rule| rule.beneficiary == beneficiary);
        let uplines = at(Beneficiary::Upline).filter(|_| program.second_level);
        let clauses: Vec<_> = at(Beneficiary::Referrer)
            .chain(uplines)
            .chain(at(Beneficiary::Referee))
            .map(|rule| phrase(&rule))
            .collect();
        let promise = headline.map(|rule| {
            let verb = if rule.target == WalletKind::Earnings { text.earn } else { text.get };
            format!("{verb} {}", clauses.join(text.and))
        });
        let by_plan = |rule: &&Rule| matches!(rule.trigger, Trigger::FirstPayment | Trigger::EveryPayment);
        let counts_from = headline.filter(by_plan).map(|rule| rule.minimum_payment);
        Self {
            promise,
            counts_from: counts_from.filter(|minimum| minimum.is_positive()),
            news: news(text, preset, program),
        }
    }
}

/// Chooses the sentence about a friend. In a program of two levels the payer may be a stranger, so the
/// sentence has no name.
fn news(text: &OfferTexts, preset: &Preset, program: &Program) -> &'static str {
    match program.headline().map(|rule| rule.trigger) {
        _ if program.second_level => text.news_unnamed,
        Some(Trigger::Deposit) => text.news_deposit,
        Some(Trigger::FirstPayment) if preset.plans.is_empty() => text.news_paid,
        Some(Trigger::FirstPayment) => text.news_subscribed,
        _ => text.news_bought,
    }
}

/// A rule in words.
struct Phrase<'a> {
    text: &'a OfferTexts,
    preset: &'a Preset,
    rule: &'a Rule,
}

impl Phrase<'_> {
    fn whole(&self) -> String {
        let (text, rule) = (self.text, self.rule);
        let mut phrase = match (rule.beneficiary, rule.amount) {
            (Beneficiary::Referee, Amount::PercentOfPayment { .. }) => {
                fill_html(text.friend_gets, &[("reward", &self.about(text.percent))])
            }
            (Beneficiary::Referee, _) => fill_html(text.friend_gets, &[("reward", &self.reward())]),
            (_, Amount::PercentOfPayment { .. }) => self.share(),
            _ => format!("{} {}", self.reward(), self.occasion()),
        };
        let shared = !matches!(rule.amount, Amount::Flat { .. } | Amount::PremiumDays { .. });
        if let Some(cap) = rule.cap_commission.filter(|_| shared) {
            phrase.push_str(&fill_html(text.at_most, &[("cap", &cap.to_string())]));
        }
        if !rule.products.is_empty() {
            phrase.push_str(text.some_products);
        }
        phrase
    }

    /// The amount of the reward, where it is not a share of the payment.
    fn reward(&self) -> String {
        let amount = match self.rule.amount {
            Amount::PercentOfProfit { .. } => match self.range() {
                Some((least, most)) if least == most => least.to_string(),
                Some((least, most)) => {
                    let values = [("least", least.to_string()), ("most", most.to_string())];
                    return fill_html(
                        self.text.from_to,
                        &values.each_ref().map(|(name, v)| (*name, v.as_str())),
                    );
                }
                None => return self.text.share_of_profit.to_owned(),
            },
            Amount::Flat { amount } => amount.to_string(),
            Amount::PremiumDays { days } => Money::new(days, Currency::DAY).to_string(),
            Amount::PercentOfPayment { .. } => return self.about(self.text.percent),
        };
        let friends = self.rule.beneficiary == Beneficiary::Referee;
        let template = match Purse::of(self.rule.target, self.rule.granted_currency(self.preset.currency)) {
            Purse::BillCredit if friends => self.text.off_their_bills,
            Purse::BillCredit => self.text.off_your_bills,
            Purse::Days => self.text.premium,
            Purse::Earnings | Purse::Balance | Purse::Credits => return amount,
        };
        fill_html(template, &[("amount", &amount)])
    }

    /// The smallest and the largest reward over all plans that count.
    fn range(&self) -> Option<(Money, Money)> {
        let rule = self.rule;
        let named = |plan: &Plan| {
            rule.products.is_empty() || rule.products.iter().any(|product| plan.is_for(product))
        };
        let counts = |plan: &&Plan| plan.price.minor() >= rule.minimum_payment.minor() && named(plan);
        let rewards: Vec<_> = self
            .preset
            .plans
            .iter()
            .filter(counts)
            .filter_map(|plan| rule.amount_for(plan.price, plan.cost?).ok())
            .filter(|reward| reward.is_positive())
            .collect();
        let by_size = |money: &&Money| money.minor();
        Some((*rewards.iter().min_by_key(by_size)?, *rewards.iter().max_by_key(by_size)?))
    }

    /// A share of the payment, which names the payment itself.
    fn share(&self) -> String {
        let text = self.text;
        match self.rule.trigger {
            Trigger::FirstPayment => self.about(text.percent_of_first),
            Trigger::EveryPayment => self.about(text.percent_of_each),
            Trigger::Deposit => self.about(text.percent_of_deposit),
            Trigger::Spend => self.about(text.percent_of_spending),
            Trigger::NthPayment(_) | Trigger::Months(_) => {
                format!("{}{}", self.about(text.percent_of_that), self.occasion())
            }
        }
    }

    /// The occasion of the reward.
    fn occasion(&self) -> String {
        let (text, plans) = (self.text, !self.preset.plans.is_empty());
        let minimum = self.rule.minimum_payment.is_positive();
        self.about(match self.rule.trigger {
            Trigger::FirstPayment if plans && minimum => text.for_subscribing,
            Trigger::FirstPayment if minimum => text.for_first_purchase,
            Trigger::FirstPayment => text.for_becoming,
            Trigger::EveryPayment if plans => text.for_each_plan,
            Trigger::EveryPayment => text.for_each_purchase,
            Trigger::NthPayment(_) => text.for_nth,
            Trigger::Months(_) => text.for_months,
            Trigger::Deposit => text.for_deposit,
            Trigger::Spend => text.for_spending,
        })
    }

    /// Fills in the person, the number of payments and the lowest price.
    fn about(&self, template: &str) -> String {
        let (text, rule) = (self.text, self.rule);
        let upline = rule.beneficiary == Beneficiary::Upline;
        let [friend, buys, friends] = if upline {
            [text.friend_of_friend, text.their_friends_buy, text.their_friends]
        } else {
            [text.friend, text.a_friend_buys, text.your_friends]
        };
        let from = match rule.minimum_payment {
            minimum if minimum.is_positive() => fill_html(text.from, &[("minimum", &minimum.to_string())]),
            _ => String::new(),
        };
        let percent = match rule.amount {
            Amount::PercentOfPayment { percent, .. } => percent.normalize().to_string(),
            _ => String::new(),
        };
        let count = match rule.trigger {
            Trigger::NthPayment(count) | Trigger::Months(count) => count.to_string(),
            _ => String::new(),
        };
        let values = [
            ("friend", friend),
            ("buys", buys),
            ("friends", friends),
            ("from", &from),
            ("percent", &percent),
            ("count", &count),
        ];
        fill_html(template, &values)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::texts::EN;

    fn preset(name: &str) -> Preset {
        Preset::builtin(name).unwrap()
    }

    #[test]
    fn every_preset_says_what_it_promises() {
        let check = |name: &str, promise: Option<&str>, from: Option<&str>| {
            let preset = preset(name);
            let offer = Offer::of(&EN, &preset, &preset.program);
            assert_eq!(offer.promise.as_deref(), promise, "{name}");
            assert_eq!(offer.counts_from.map(|m| m.to_string()).as_deref(), from, "{name}");
        };
        let bitten = "get $10.00 off your bills for each friend who subscribes to a plan from $39.00";
        check("bitten", Some(bitten), Some("$39.00"));
        let ott = "earn ₹28.00 for each plan a friend buys, and ₹9.00 for each plan their friends buy";
        check("ott", Some(ott), None);
        check("autosales", Some("get 3% of every deposit your friends make"), None);
        let trollz = "get 30 days of premium for each friend who becomes a paying member";
        check("trollz", Some(trollz), None);
        check("streamline", None, None);
    }

    /// A program of JSON fields over one rule of ten dollars.
    fn with_rule(change: &str) -> String {
        let mut rule = serde_json::json!({
            "id": "r", "trigger": "first_payment", "hold_seconds": 0, "target": "balance",
            "minimum_payment": { "minor": 0, "currency": "USD" },
            "amount": { "kind": "flat", "amount": { "minor": 1000, "currency": "USD" } },
        });
        let change: serde_json::Value = serde_json::from_str(change).unwrap();
        for (name, value) in change.as_object().unwrap() {
            rule[name] = value.clone();
        }
        let program = serde_json::json!({ "version": 2, "second_level": true, "rules": [rule] });
        let program: Program = serde_json::from_value(program).unwrap();
        Offer::of(&EN, &preset("trollz"), &program).promise.unwrap_or_default()
    }

    const PERCENT: &str =
        r#""amount": {"kind":"percent_of_payment","percent":"2.50","rounding":"half_up","quantum_minor":1}"#;
    const FIVE: &str = r#""minimum_payment": {"minor":500,"currency":"USD"}"#;

    #[test]
    fn every_trigger_and_amount_reads_as_a_sentence() {
        let check = |change: &str, promise: &str| {
            let change = change.replace("PERCENT", PERCENT).replace("FIVE", FIVE);
            assert_eq!(with_rule(&change), promise, "{change}");
        };
        check("{}", "get $10.00 for each friend who becomes a paying member");
        check("{FIVE}", "get $10.00 for each friend whose first purchase is from $5.00 up");
        check("{PERCENT}", "get 2.5% of the first payment of each friend");
        check(r#"{"trigger":"every_payment"}"#, "get $10.00 for each purchase your friends make");
        let every = r#"{"trigger":"every_payment",PERCENT,FIVE}"#;
        check(every, "get 2.5% of every purchase from $5.00 your friends make");
        check(r#"{"trigger":{"nth_payment":3}}"#, "get $10.00 for each friend who makes 3 purchases");
        let months = r#"{"trigger":{"months":6},PERCENT}"#;
        check(months, "get 2.5% of that payment for each friend who pays in 6 different months");
        let capped = r#"{"trigger":"spend",PERCENT,"cap_commission":{"minor":900,"currency":"USD"}}"#;
        check(capped, "get 2.5% of every purchase your friends make from their balance (at most $9.00)");
        let gold =
            "get $10.00 off your bills for each friend who becomes a paying member (some products only)";
        check(r#"{"target":"bill_credit","products":["gold"]}"#, gold);
        // A reward for the invited member alone promises nothing to the one who invites.
        check(r#"{"beneficiary":"referee"}"#, "");
        check(r#"{"beneficiary":"upline"}"#, "");
    }

    #[test]
    fn no_stranger_is_named() {
        let news = |name: &str| {
            let preset = preset(name);
            Offer::of(&EN, &preset, &preset.program).news
        };
        assert!(!news("ott").contains("{friend}"));
        assert_eq!(news("bitten"), "{friend} has subscribed.");
        assert_eq!(news("trollz"), "{friend} became a paying member.");
        assert_eq!(news("autosales"), "{friend} made a deposit.");
    }
}
