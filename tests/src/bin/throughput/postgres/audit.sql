-- Each line: what is counted, what was found, what there must be. $1 payments, $2 the reward in cents.
WITH line AS (
    SELECT e.*,
        row_number() OVER statement AS place,
        coalesce(lag(e.hash) OVER statement, '') AS before,
        sum(e.delta_available) OVER statement AS sum_available,
        sum(e.delta_held) OVER statement AS sum_held,
        sum(e.delta_owed) OVER statement AS sum_owed,
        sha256(convert_to(concat_ws('|',
            e.member, e.wallet, e.currency, e.seq, e.at, e.kind, e.digest,
            e.delta_available, e.delta_held, e.delta_owed, e.house, e.house_amount,
            e.available, e.held, e.owed, encode(e.prev_hash, 'hex')), 'UTF8')) AS recomputed
    FROM entries e
    WINDOW statement AS (PARTITION BY e.member, e.wallet, e.currency ORDER BY e.seq)
), last AS (
    SELECT DISTINCT ON (member, wallet, currency) * FROM line ORDER BY member, wallet, currency, seq DESC
)
SELECT what, found::bigint, expected::bigint FROM (VALUES
    ('payments', (SELECT count(*) FROM payments), $1::bigint),
    ('payments that earned', (SELECT count(*) FROM payments WHERE outcome = 'granted'), $1),
    ('converted referrals', (SELECT count(*) FROM referrals WHERE state = 'converted'), $1),
    ('commissions', (SELECT count(*) FROM commissions), $1),
    ('referees with a commission', (SELECT count(DISTINCT referee) FROM commissions), $1),
    ('released commissions', (SELECT count(*) FROM commissions WHERE state = 'released'), $1),
    ('cents of commissions', (SELECT sum(amount) FROM commissions), $1 * $2::bigint),
    ('cents in wallets', (SELECT sum(available + held - owed) FROM wallets), $1 * $2),
    ('cents owed', (SELECT sum(owed) FROM wallets), 0),
    ('entries', (SELECT count(*) FROM entries), $1),
    ('commissions without their entry', (SELECT count(*) FROM commissions c WHERE NOT EXISTS (
        SELECT FROM entries e WHERE e.member = c.beneficiary AND e.seq = c.entry_seq
            AND e.digest = encode(sha256(convert_to(c.id || E'\n', 'UTF8')), 'hex'))), 0),
    ('cents of all legs', (SELECT sum(delta_available + delta_held - delta_owed + house_amount) FROM entries), 0),
    ('unbalanced entries', (SELECT count(*) FROM entries
        WHERE delta_available + delta_held - delta_owed + house_amount <> 0), 0),
    ('gaps in statements', (SELECT count(*) FROM line WHERE seq <> place), 0),
    ('wrong running balances', (SELECT count(*) FROM line
        WHERE (available, held, owed) IS DISTINCT FROM (sum_available, sum_held, sum_owed)), 0),
    ('broken links of the hash chain', (SELECT count(*) FROM line WHERE prev_hash <> before), 0),
    ('wrong hashes', (SELECT count(*) FROM line WHERE hash <> recomputed), 0),
    ('wallets unlike their last entry', (SELECT count(*) FROM wallets w
        LEFT JOIN last l ON (l.member, l.wallet, l.currency) = (w.member, w.kind, w.currency)
        WHERE (w.available, w.held, w.owed, w.seq, w.head) IS DISTINCT FROM (coalesce(l.available, 0),
            coalesce(l.held, 0), coalesce(l.owed, 0), coalesce(l.seq, 0), coalesce(l.hash, ''))), 0)
) AS audit (what, found, expected);
