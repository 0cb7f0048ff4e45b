-- A payment recorded once, its commission booked and released into the referrer's wallet: what record_payment
-- and settle_wallet do, in one function and one transaction. The wallet's row is locked as late as possible.
CREATE FUNCTION record_payment(
    p_payment text, p_member text, p_paid bigint, p_tax bigint, p_tier bigint,
    p_paid_at bigint, p_known_at bigint, p_now bigint
) RETURNS text LANGUAGE plpgsql AS $$
DECLARE
    c_minimum    CONSTANT bigint := 3900;
    c_reward     CONSTANT bigint := 1000;
    v_referral   referrals%ROWTYPE;
    v_wallet     wallets%ROWTYPE;
    v_outcome    text;
    v_commission text;
    v_digest     text;
    v_repaid     bigint;
    v_hash       bytea;
BEGIN
    SELECT * INTO v_referral FROM referrals WHERE referee = p_member;
    v_outcome := CASE
        WHEN NOT FOUND THEN 'not_referred'
        WHEN p_paid - p_tax <= 0 THEN 'zero_amount'
        WHEN p_known_at < v_referral.joined_at THEN 'before_referral'
        WHEN v_referral.state = 'converted' THEN 'already_converted'
        WHEN p_paid_at >= v_referral.expires_at THEN 'referral_expired'
        WHEN p_tier < c_minimum THEN 'below_minimum'
        ELSE 'granted'
    END;
    IF v_outcome = 'granted' THEN
        v_commission := p_payment || '-recruit-1';
    END IF;

    INSERT INTO payments VALUES (
        p_payment, p_member, p_paid, p_tax, p_tier, 'USD', p_paid_at, p_now, 1, v_outcome, v_commission,
        CASE WHEN v_outcome = 'granted' THEN v_referral.referrer END,
        CASE WHEN v_outcome = 'granted' THEN c_reward END
    ) ON CONFLICT (payment) DO NOTHING;
    IF NOT FOUND THEN
        RETURN 'already_applied';
    END IF;
    IF v_outcome <> 'granted' THEN
        RETURN v_outcome;
    END IF;

    UPDATE referrals SET state = 'converted', converted_by = p_payment, converted_at = p_paid_at
        WHERE referee = p_member AND state = 'pending';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'another payment of this member was faster' USING ERRCODE = 'serialization_failure';
    END IF;
    INSERT INTO commissions VALUES (
        v_commission, v_referral.referrer, p_member, p_payment, c_reward, p_paid - p_tax, 'USD', 1, 'recruit', 1,
        p_paid_at, p_now, p_paid_at, 'held'
    );
    v_digest := encode(sha256(convert_to(v_commission || E'\n', 'UTF8')), 'hex');

    SELECT * INTO STRICT v_wallet FROM wallets
        WHERE member = v_referral.referrer AND kind = 'bill_credit' AND currency = 'USD'
        FOR UPDATE;
    v_repaid := least(c_reward, v_wallet.owed);
    v_wallet.seq := v_wallet.seq + 1;
    v_wallet.available := v_wallet.available + c_reward - v_repaid;
    v_wallet.owed := v_wallet.owed - v_repaid;
    v_hash := sha256(convert_to(concat_ws('|',
        v_wallet.member, v_wallet.kind, v_wallet.currency, v_wallet.seq, p_now, 'commissions_released', v_digest,
        c_reward - v_repaid, 0, -v_repaid, 'commission_expense', -c_reward,
        v_wallet.available, v_wallet.held, v_wallet.owed, encode(v_wallet.head, 'hex')), 'UTF8'));
    INSERT INTO entries VALUES (
        v_wallet.member, v_wallet.kind, v_wallet.currency, v_wallet.seq, p_now, 'commissions_released', 1, v_digest,
        c_reward - v_repaid, 0, -v_repaid, 'commission_expense', -c_reward,
        v_wallet.available, v_wallet.held, v_wallet.owed, v_wallet.head, v_hash
    );
    UPDATE wallets SET available = v_wallet.available, owed = v_wallet.owed, seq = v_wallet.seq, head = v_hash
        WHERE member = v_wallet.member AND kind = v_wallet.kind AND currency = v_wallet.currency;
    UPDATE commissions SET state = 'released', entry_seq = v_wallet.seq, released_at = p_now
        WHERE id = v_commission AND state = 'held';
    RETURN 'granted';
END
$$;
