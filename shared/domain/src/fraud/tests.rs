use super::*;
use crate::{
    ids::{FraudFlagId, MemberId},
    members::PseudonymKey,
    time::Timestamp,
};

use FraudAction::{Allow, Flag, Hold, Reject};
use Signal::{
    LowConversion, Manual, RapidSignups, ReferralRing, RefundRate, SelfReferral, SharedDestination,
    SharedDevice, SharedIp,
};

const DIGITS: &str = "0123456789abcdef0123456789abcdef";

fn print(kind: FingerprintKind) -> Fingerprint {
    Fingerprint::parse(&format!("{}:{DIGITS}", kind.as_str())).unwrap()
}

fn member(n: usize) -> MemberId {
    MemberId::parse(format!("{n:032x}")).unwrap()
}

fn crowd(count: usize) -> Vec<MemberId> {
    (1..=count).map(member).collect()
}

/// Makes an observation: `others` share a fingerprint with the subject; `kin` are those of the subject's
/// chain.
fn shared(kind: FingerprintKind, others: usize, kin: usize) -> Observation {
    Observation::Shared { fingerprint: print(kind), members: crowd(others), kin: crowd(kin) }
}

const fn conversions(referrals: u64, converted: u64) -> Observation {
    Observation::Conversions { referrals, converted }
}

const fn signups(count: u64, within_seconds: u32) -> Observation {
    Observation::Signups { count, within_seconds }
}

const fn refunds(payments: u64, undone: u64) -> Observation {
    Observation::Refunds { payments, undone }
}

fn self_paid() -> Observation {
    let fingerprint = print(FingerprintKind::Payment);
    Observation::SelfPaid { fingerprint, payer: member(7), referrer: member(1) }
}

fn said(rules: &FraudRules, observation: &Observation) -> Vec<(Signal, FraudAction)> {
    let finding = |it: Finding| {
        assert_eq!(it.enforced, it.action);
        (it.signal, it.action)
    };
    rules.judge(observation).into_iter().map(finding).collect()
}

#[test]
fn shared_things_by_default() {
    let check = |kind, others, kin, expect: &[(Signal, FraudAction)]| {
        let observation = shared(kind, others, kin);
        assert_eq!(said(&FraudRules::default(), &observation), expect, "{observation:?}");
    };
    use FingerprintKind::{Destination, Device, Ip, Payment};
    check(Destination, 0, 0, &[]);
    check(Destination, 1, 0, &[(SharedDestination, Hold)]);
    check(Destination, 2, 0, &[(SharedDestination, Hold)]);
    check(Device, 1, 0, &[]);
    check(Device, 2, 0, &[(SharedDevice, Flag)]);
    check(Device, 3, 0, &[(SharedDevice, Flag)]);
    check(Ip, 18, 0, &[]);
    check(Ip, 19, 0, &[(SharedIp, Flag)]);
    check(Ip, 20, 0, &[(SharedIp, Flag)]);
    // Rings: one of kin, two, three. A shared thing may break two rules.
    check(Device, 1, 1, &[]);
    check(Device, 2, 1, &[(SharedDevice, Flag)]);
    check(Device, 2, 2, &[(SharedDevice, Flag), (ReferralRing, Hold)]);
    check(Destination, 3, 3, &[(SharedDestination, Hold), (ReferralRing, Hold)]);
    // A means of payment has no rule of its own; an address makes no ring.
    check(Payment, 50, 1, &[]);
    check(Payment, 50, 2, &[(ReferralRing, Hold)]);
    check(Ip, 5, 5, &[]);
    check(Ip, 19, 19, &[(SharedIp, Flag)]);
}

/// Referrals, how many converted, and whether they are flagged: too few, then just enough; then above, at and below 5%.
const CONVERSIONS: [(u64, u64, bool); 11] = [
    (9, 0, false),
    (10, 0, true),
    (11, 0, true),
    (19, 1, false),
    (20, 1, false),
    (21, 1, true),
    (u64::MAX, u64::MAX / 20, true),
    (u64::MAX, u64::MAX / 20 + 1, false),
    (u64::MAX, u64::MAX, false),
    (10, u64::MAX, false),
    (0, 0, false),
];

/// Payments, how many were undone, and whether they are held: too few, then just enough; then below, at and above 30%.
const REFUNDS: [(u64, u64, bool); 10] = [
    (9, 9, false),
    (10, 10, true),
    (11, 11, true),
    (10, 2, false),
    (10, 3, false),
    (10, 4, true),
    (u64::MAX, u64::MAX / 10 * 3, false),
    (u64::MAX, u64::MAX, true),
    (10, u64::MAX, true),
    (0, 0, false),
];

#[test]
fn rates_and_counts_by_default() {
    let check = |observation: Observation, expect: &[(Signal, FraudAction)], found: bool| {
        let expect = if found { expect } else { &[] };
        assert_eq!(said(&FraudRules::default(), &observation), expect, "{observation:?}");
    };
    for (referrals, converted, low) in CONVERSIONS {
        check(conversions(referrals, converted), &[(LowConversion, Flag)], low);
    }
    for (count, within_seconds, rapid) in [
        (19, 3600, false),
        (20, 3600, true),
        (21, 3600, true),
        (20, 0, true),
        (20, 3601, false),
        (u64::MAX, 3600, true),
        (u64::MAX, u32::MAX, false),
    ] {
        check(signups(count, within_seconds), &[(RapidSignups, Flag)], rapid);
    }
    for (payments, undone, high) in REFUNDS {
        check(refunds(payments, undone), &[(RefundRate, Hold)], high);
    }
    check(self_paid(), &[(SelfReferral, Reject)], true);
}

#[test]
fn thresholds_are_the_operators() {
    let check = |toml: &str, observation: Observation, expect: &[(Signal, FraudAction)]| {
        let rules: FraudRules = toml::from_str(toml).unwrap();
        assert_eq!(rules.check(), Ok(()), "{toml}");
        assert_eq!(said(&rules, &observation), expect, "{toml}: {observation:?}");
    };
    check("shared_device = {members = 2}", shared(FingerprintKind::Device, 1, 0), &[(SharedDevice, Flag)]);
    check("shared_ip.action = 'reject'", shared(FingerprintKind::Ip, 19, 0), &[(SharedIp, Reject)]);
    check("referral_ring.members = 2", shared(FingerprintKind::Payment, 1, 1), &[(ReferralRing, Hold)]);
    check("low_conversion.below_percent = 100", conversions(10, 9), &[(LowConversion, Flag)]);
    check("low_conversion.below_percent = 100", conversions(10, 10), &[]);
    check("refund_rate.above_percent = 0", refunds(10, 0), &[]);
    check("refund_rate.above_percent = 0", refunds(10, 1), &[(RefundRate, Hold)]);
    check("rapid_signups.within_seconds = 60", signups(20, 61), &[]);
    check("self_referral.action = 'flag'", self_paid(), &[(SelfReferral, Flag)]);
}

/// Lists one observation for each rule, each of which breaks its rule.
fn offences() -> Vec<Observation> {
    vec![
        shared(FingerprintKind::Destination, 99, 99),
        shared(FingerprintKind::Device, 99, 99),
        shared(FingerprintKind::Ip, 99, 99),
        shared(FingerprintKind::Payment, 99, 99),
        conversions(100, 0),
        signups(100, 60),
        refunds(100, 100),
        self_paid(),
    ]
}

#[test]
fn in_shadow_all_is_found_and_nothing_done() {
    let loud = FraudRules::default();
    let shadow = FraudRules { shadow: true, ..loud.clone() };
    for observation in offences() {
        let expect: Vec<_> =
            loud.judge(&observation).into_iter().map(|it| Finding { enforced: Allow, ..it }).collect();
        assert!(!expect.is_empty(), "{observation:?}");
        assert_eq!(shadow.judge(&observation), expect);
    }
}

#[test]
fn rules_that_are_off_find_nothing() {
    let mut json = serde_json::to_value(FraudRules::default()).unwrap();
    for (name, rule) in json.as_object_mut().unwrap().iter_mut().filter(|(name, _)| *name != "shadow") {
        assert!(Signal::ALL.iter().any(|signal| signal.as_str() == name), "{name}");
        rule["action"] = "allow".into();
    }
    let off: FraudRules = serde_json::from_value(json).unwrap();
    for observation in offences() {
        assert_eq!(off.judge(&observation), [], "{observation:?}");
    }
}

#[test]
fn members_count_once_and_evidence_keeps_20() {
    let fingerprint = print(FingerprintKind::Device);
    let twice = Observation::Shared { fingerprint, members: vec![member(1); 9], kin: vec![member(1); 9] };
    assert_eq!(FraudRules::default().judge(&twice), []);
    for finding in FraudRules::default().judge(&shared(FingerprintKind::Device, 30, 25)) {
        let (Evidence::Shared { seen, members, .. } | Evidence::Ring { seen, members, .. }) =
            finding.evidence
        else {
            panic!("{finding:?}")
        };
        assert_eq!(members, crowd(20));
        assert_eq!(seen, if finding.signal == ReferralRing { 26 } else { 31 });
    }
}

#[test]
fn findings_explain_themselves() {
    let check = |observation: Observation, expect: &[&str]| {
        let findings = FraudRules::default().judge(&observation);
        let said: Vec<_> = findings.iter().map(Finding::explain).collect();
        assert_eq!(said, expect);
    };
    let devices = "4 members share one device; the rule flags from 3";
    let ring = "3 members of one referral chain share one device; the rule holds from 3";
    check(shared(FingerprintKind::Device, 3, 2), &[devices, ring]);
    let ip = "20 members share one IP address within 1 day; the rule flags from 20";
    check(shared(FingerprintKind::Ip, 19, 0), &[ip]);
    let destination = "2 members share one payout destination; the rule holds from 2";
    check(shared(FingerprintKind::Destination, 1, 0), &[destination]);
    let conversion = "1 of 40 referrals converted; the rule flags below 5% from 10 referrals";
    check(conversions(40, 1), &[conversion]);
    check(signups(25, 60), &["25 members joined within 1 hour; the rule flags from 20"]);
    let refunded = "4 of 10 payments were undone; the rule holds above 30% from 10 payments";
    check(refunds(10, 4), &[refunded]);
    let own = "the member and their referrer share one means of payment; the rule rejects";
    check(self_paid(), &[own]);
    let manual = Finding::manual(Hold, "olga".into(), "asked by the bank".to_owned());
    assert_eq!(manual.explain(), "set by olga: asked by the bank");
    assert_eq!((manual.signal, manual.enforced), (Manual, Hold));
}

#[test]
fn a_finding_in_shadow_says_so_and_names_its_time_in_words() {
    for (within_seconds, words) in
        [(61, "61 seconds"), (60, "1 minute"), (5400, "90 minutes"), (172_800, "2 days")]
    {
        let default = FraudRules::default();
        let rapid_signups = RapidSignupsRule { within_seconds, ..default.rapid_signups };
        let rules = FraudRules { shadow: true, rapid_signups, ..default };
        let said: Vec<_> = rules.judge(&signups(20, 60)).iter().map(Finding::explain).collect();
        let expect =
            format!("20 members joined within {words}; the rule flags from 20 (in shadow: nothing was done)");
        assert_eq!(said, [expect]);
    }
}

#[test]
fn every_word_is_the_stored_one() {
    for signal in Signal::ALL {
        assert_eq!(serde_json::to_value(signal).unwrap(), signal.as_str());
        assert!(signal.explain().ends_with('.'), "{signal:?}");
    }
    for action in [Allow, Flag, Hold, Reject] {
        assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
    }
    assert!([Allow, Flag, Hold, Reject].is_sorted_by(|a, b| a < b));
}

#[test]
fn each_bound_is_kept_and_named() {
    assert_eq!(FraudRules::default().check(), Ok(()));
    let check = |setting: &'static str, least: u32, most: u32| {
        let set = |value: u32| toml::from_str::<FraudRules>(&format!("{setting} = {value}")).unwrap().check();
        let refused = |value| Err(FraudRulesError { setting, value, least, most });
        assert_eq!((set(least), set(most)), (Ok(()), Ok(())), "{setting}");
        assert_eq!((set(most + 1), set(u32::MAX)), (refused(most + 1), refused(u32::MAX)));
        if least > 0 {
            assert_eq!((set(least - 1), set(0)), (refused(least - 1), refused(0)));
        }
    };
    check("shared_destination.members", 2, 100);
    check("shared_device.members", 2, 100);
    check("shared_ip.members", 2, 100);
    check("shared_ip.within_seconds", 60, 2_592_000);
    check("low_conversion.from_referrals", 10, 100_000);
    check("low_conversion.below_percent", 1, 100);
    check("rapid_signups.signups", 2, 100_000);
    check("rapid_signups.within_seconds", 60, 2_592_000);
    check("refund_rate.from_payments", 1, 100_000);
    check("refund_rate.above_percent", 0, 99);
    check("referral_ring.members", 2, 100);
    let wrong: FraudRules = toml::from_str("low_conversion.from_referrals = 9").unwrap();
    let text = "fraud setting 'low_conversion.from_referrals' must be 10 to 100000, not 9";
    assert_eq!(wrong.check().unwrap_err().to_string(), text);
}

#[test]
fn rules_read_back_from_json_and_toml() {
    let rules = FraudRules {
        shadow: true,
        shared_ip: SharedIpRule { action: Allow, members: 50, within_seconds: 7200 },
        ..FraudRules::default()
    };
    let json = serde_json::to_string(&rules).unwrap();
    assert_eq!(serde_json::from_str::<FraudRules>(&json).unwrap(), rules);
    let toml = toml::to_string(&rules).unwrap();
    assert_eq!(toml::from_str::<FraudRules>(&toml).unwrap(), rules);
    // A field that is left out takes its default.
    assert_eq!(serde_json::from_str::<FraudRules>("{}").unwrap(), FraudRules::default());
    assert_eq!(toml::from_str::<FraudRules>("").unwrap(), FraudRules::default());
    let some = "shadow = true\n[shared_ip]\naction = 'allow'\nmembers = 50\nwithin_seconds = 7200";
    assert_eq!(toml::from_str::<FraudRules>(some).unwrap(), rules);
}

#[test]
fn what_no_rule_knows_is_refused() {
    for bad in [
        r#"{"shadows": true}"#,
        r#"{"manual": {"action": "hold"}}"#,
        r#"{"shared_device": {"members": 3, "within_seconds": 60}}"#,
        r#"{"self_referral": {"members": 3}}"#,
        r#"{"self_referral": {"action": "ban"}}"#,
        r#"{"refund_rate": {"above_percent": 2.5}}"#,
        r#"{"refund_rate": {"above_percent": -1}}"#,
        r#"{"referral_ring": {"members": 4294967296}}"#,
    ] {
        assert!(serde_json::from_str::<FraudRules>(bad).is_err(), "{bad}");
    }
}

fn flag_of(rules: &FraudRules, subject: usize, observation: &Observation, bucket: &str) -> FraudFlag {
    let finding = rules.judge(observation).pop().unwrap();
    FraudFlag::raise(member(subject), finding, bucket, Timestamp::from_seconds(1_795_253_400))
}

#[test]
fn the_same_thing_is_flagged_under_the_same_id() {
    let rules = FraudRules::default();
    let id = |subject, observation: &Observation, bucket| flag_of(&rules, subject, observation, bucket).id;
    let (devices, burst) = (shared(FingerprintKind::Device, 2, 0), signups(20, 60));
    // A fingerprint is the natural key, whatever the number of members and the time of the finding.
    assert_eq!(id(7, &devices, "2026-11-21"), id(7, &shared(FingerprintKind::Device, 9, 0), "2026-11-22"));
    assert_eq!(id(7, &burst, "2026-11-21"), id(7, &signups(90, 60), "2026-11-21"));
    let other = Fingerprint::device(&PseudonymKey::try_new([1; 32]).unwrap(), "x").unwrap();
    let ids = [
        id(7, &devices, ""),
        id(8, &devices, ""),
        id(7, &Observation::Shared { fingerprint: other, members: crowd(2), kin: vec![] }, ""),
        id(7, &shared(FingerprintKind::Device, 2, 2), ""),
        id(7, &burst, "2026-11-21"),
        id(8, &burst, "2026-11-21"),
        id(7, &burst, "2026-11-22"),
        id(7, &conversions(10, 0), "2026-11-21"),
    ];
    for (at, id) in ids.iter().enumerate() {
        assert!(id.as_str().len() == 32 && id.as_str().bytes().all(|b| b.is_ascii_hexdigit()), "{id}");
        assert!(!ids[..at].contains(id), "{at}");
    }
    // Stored for ever: the id may not change between versions.
    let golden = FraudFlagId::derive(&member(7), SharedDevice, &format!("device:{DIGITS}"));
    assert_eq!(ids[0], golden);
    assert_eq!(golden.as_str(), "56ad415b95891476cebfe215a66aa094");
}

#[test]
fn a_flag_reads_back() {
    let rules = FraudRules::default();
    let at = Timestamp::from_seconds(1_795_260_000);
    let manual = Finding::manual(Reject, "olga".into(), "chargebacks elsewhere".to_owned());
    let mut flags = vec![FraudFlag::raise(member(7), manual, "request-1", at)];
    flags.extend(offences().iter().map(|offence| flag_of(&rules, 7, offence, "2026-11-21")));
    for flag in flags {
        let resolved =
            flag.clone().resolve(FraudVerdict::Confirmed, "olga".into(), "seen".to_owned(), at).unwrap();
        for flag in [flag, resolved] {
            let json = serde_json::to_value(&flag).unwrap();
            assert_eq!(json["state"], flag.state.as_str());
            assert_eq!(serde_json::from_value::<FraudFlag>(json).unwrap(), flag);
        }
    }
}

#[test]
fn a_flag_is_stored_as_this() {
    let flag = flag_of(&FraudRules::default(), 7, &shared(FingerprintKind::Ip, 19, 0), "");
    let flag = flag
        .resolve(FraudVerdict::Dismissed, "olga".into(), "a hostel".to_owned(), Timestamp::from_millis(5))
        .unwrap();
    let expect = serde_json::json!({
        "id": flag.id, "subject": member(7), "signal": "shared_ip", "action": "flag", "enforced": "flag",
        "evidence": {
            "kind": "shared", "fingerprint": format!("ip:{DIGITS}"), "seen": 20, "from": 20,
            "within_seconds": 86_400, "members": crowd(19),
        },
        "raised_at": 1_795_253_400_000_i64,
        "state": "resolved", "by": "olga", "at": 5, "verdict": "dismissed", "note": "a hostel",
    });
    assert_eq!(serde_json::to_value(&flag).unwrap(), expect);
}

#[test]
fn a_flag_is_in_force_until_dismissed_and_resolved_once() {
    let flag = flag_of(&FraudRules::default(), 7, &refunds(10, 10), "2026-11-21");
    let resolve = |flag: FraudFlag, verdict| {
        flag.resolve(verdict, "olga".into(), "seen".to_owned(), Timestamp::from_millis(0))
    };
    assert_eq!(flag.in_force(), Hold);
    let confirmed = resolve(flag.clone(), FraudVerdict::Confirmed).unwrap();
    assert_eq!(confirmed.in_force(), Hold);
    let dismissed = resolve(flag, FraudVerdict::Dismissed).unwrap();
    assert_eq!(dismissed.in_force(), Allow);
    let already = FraudFlagError::AlreadyResolved(FraudVerdict::Dismissed);
    assert_eq!(resolve(dismissed, FraudVerdict::Confirmed), Err(already));
    assert_eq!(already.to_string(), "the flag was dismissed already");
}

#[test]
fn a_confirmed_flag_can_be_lifted() {
    let at = Timestamp::from_millis(9);
    let flag = flag_of(&FraudRules::default(), 7, &refunds(10, 10), "2026-11");
    let seen = |verdict| flag.clone().resolve(verdict, "olga".into(), "seen".to_owned(), at).unwrap();
    let lifted = |flag: FraudFlag| flag.lift("ben".into(), "all is well".to_owned(), at);
    for flag in [flag.clone(), seen(FraudVerdict::Confirmed), seen(FraudVerdict::Dismissed)] {
        let lifted = lifted(flag.clone());
        assert_eq!((lifted.in_force(), lifted.state.as_str()), (Allow, "resolved"));
        assert_eq!(lifted.evidence, flag.evidence);
    }
}

#[test]
fn an_open_flag_follows_a_stronger_finding() {
    let hold = FraudRules::default();
    let shadow = FraudRules { shadow: true, ..hold.clone() };
    let (few, many) = (refunds(10, 10), refunds(20, 20));
    let seen = flag_of(&shadow, 7, &few, "2026-11-21");
    assert_eq!(seen.in_force(), Allow);
    let finding = hold.judge(&many).pop().unwrap();
    let held = seen.strengthened(&finding).unwrap();
    assert_eq!(held, flag_of(&hold, 7, &many, "2026-11-21"));
    assert_eq!(held.strengthened(&finding), None);
    assert_eq!(held.strengthened(&shadow.judge(&many).pop().unwrap()), None);
    let at = Timestamp::from_millis(0);
    let looked = seen.resolve(FraudVerdict::Dismissed, "".into(), String::new(), at).unwrap();
    assert_eq!(looked.strengthened(&finding), None);
}
