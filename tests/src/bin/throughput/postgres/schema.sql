-- What Guerdon keeps of a payment, as tables. Generous to PostgreSQL: no index but primary keys, room in the
-- pages that are updated (so that updates touch no index), the legs of an entry in the entry as Guerdon has
-- them, and a wallet for each member before the first payment.
DROP SCHEMA public CASCADE;
CREATE SCHEMA public;

CREATE TABLE referrals (
    referee      text PRIMARY KEY,
    referrer     text   NOT NULL,
    joined_at    bigint NOT NULL,
    expires_at   bigint NOT NULL,
    state        text   NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'converted', 'expired')),
    converted_by text,
    converted_at bigint
) WITH (fillfactor = 50);

CREATE TABLE payments (
    payment         text PRIMARY KEY,
    member          text   NOT NULL,
    paid            bigint NOT NULL,
    tax             bigint NOT NULL,
    tier            bigint NOT NULL,
    currency        text   NOT NULL,
    paid_at         bigint NOT NULL,
    recorded_at     bigint NOT NULL,
    program_version int    NOT NULL,
    outcome         text   NOT NULL,
    commission      text,
    beneficiary     text,
    reward          bigint
);

CREATE TABLE commissions (
    id              text PRIMARY KEY,
    beneficiary     text   NOT NULL,
    referee         text   NOT NULL,
    payment         text   NOT NULL,
    amount          bigint NOT NULL,
    base            bigint NOT NULL,
    currency        text   NOT NULL,
    program_version int    NOT NULL,
    rule            text   NOT NULL,
    level           int    NOT NULL,
    paid_at         bigint NOT NULL,
    booked_at       bigint NOT NULL,
    due_at          bigint NOT NULL,
    state           text   NOT NULL CHECK (state IN ('held', 'released')),
    entry_seq       bigint,
    released_at     bigint
) WITH (fillfactor = 50);

CREATE TABLE wallets (
    member    text   NOT NULL,
    kind      text   NOT NULL,
    currency  text   NOT NULL,
    available bigint NOT NULL DEFAULT 0 CHECK (available >= 0),
    held      bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    owed      bigint NOT NULL DEFAULT 0 CHECK (owed >= 0),
    seq       bigint NOT NULL DEFAULT 0,
    head      bytea  NOT NULL DEFAULT '',
    PRIMARY KEY (member, kind, currency)
) WITH (fillfactor = 10);

CREATE TABLE entries (
    member          text   NOT NULL,
    wallet          text   NOT NULL,
    currency        text   NOT NULL,
    seq             bigint NOT NULL,
    at              bigint NOT NULL,
    kind            text   NOT NULL,
    commissions     int    NOT NULL,
    digest          text   NOT NULL,
    delta_available bigint NOT NULL,
    delta_held      bigint NOT NULL,
    delta_owed      bigint NOT NULL,
    house           text   NOT NULL,
    house_amount    bigint NOT NULL,
    available       bigint NOT NULL,
    held            bigint NOT NULL,
    owed            bigint NOT NULL,
    prev_hash       bytea  NOT NULL,
    hash            bytea  NOT NULL,
    PRIMARY KEY (member, wallet, currency, seq),
    CHECK (delta_available + delta_held - delta_owed + house_amount = 0)
);
