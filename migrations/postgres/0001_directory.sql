-- Text is compared by its bytes, whatever the database's locale: every text column is COLLATE "C".
-- Times are Unix milliseconds. Neither clock nor ids are made here: both are inputs.

CREATE TABLE tenants (
    tenant_name  text COLLATE "C" NOT NULL,
    display_name text COLLATE "C",
    suspended    boolean NOT NULL,
    created_by   text COLLATE "C" NOT NULL,
    updated_by   text COLLATE "C" NOT NULL,
    created_at   bigint NOT NULL,
    updated_at   bigint NOT NULL,
    version      bigint NOT NULL,
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_name)
);

CREATE TABLE profiles (
    tenant_name       text COLLATE "C" NOT NULL,
    profile_id        uuid NOT NULL,
    profile_type      text COLLATE "C" NOT NULL,
    user_id           text COLLATE "C" NOT NULL,
    full_name         text COLLATE "C" NOT NULL,
    gender            text COLLATE "C",
    email_id          text COLLATE "C",
    mobile            text COLLATE "C",
    birth_date        date,
    city_id           text COLLATE "C",
    country_id        text COLLATE "C",
    address           text COLLATE "C",
    latitude          double precision,
    longitude         double precision,
    profile_image_url text COLLATE "C",
    -- json, not jsonb: it gives back the canonical text that was stored, as the other backend does.
    attributes        json NOT NULL,
    active            boolean NOT NULL,
    created_by        text COLLATE "C" NOT NULL,
    updated_by        text COLLATE "C" NOT NULL,
    deleted_by        text COLLATE "C",
    created_at        bigint NOT NULL,
    updated_at        bigint NOT NULL,
    deleted_at        bigint,
    version           bigint NOT NULL,
    -- Derived by the service: what names and addresses are compared by, and what search looks at.
    full_name_key     text COLLATE "C" NOT NULL,
    email_key         text COLLATE "C",
    search_doc        text COLLATE "C" NOT NULL,
    CONSTRAINT profiles_pkey PRIMARY KEY (tenant_name, profile_id),
    CONSTRAINT profiles_tenant_name_fkey FOREIGN KEY (tenant_name) REFERENCES tenants
) PARTITION BY HASH (tenant_name);

-- Indexes are made on each partition under a name of our own, because a violation reports the partition's index; the
-- index on the parent then takes them in.
DO $$
DECLARE
    part text;
BEGIN
    FOR i IN 0..7 LOOP
        part := 'profiles_p' || i;
        EXECUTE format('CREATE TABLE %I PARTITION OF profiles FOR VALUES WITH (MODULUS 8, REMAINDER %s)', part, i);
        EXECUTE format('CREATE UNIQUE INDEX %I ON %I (tenant_name, user_id, profile_type) WHERE deleted_at IS NULL',
                       part || '_user_id_profile_type_key', part);
    END LOOP;
END
$$;
CREATE UNIQUE INDEX profiles_user_id_profile_type_key ON profiles (tenant_name, user_id, profile_type) WHERE deleted_at IS NULL;
CREATE INDEX profiles_user_id_idx ON profiles (tenant_name, user_id, profile_id);
CREATE INDEX profiles_email_key_idx ON profiles (tenant_name, email_key, profile_id);
CREATE INDEX profiles_mobile_idx ON profiles (tenant_name, mobile) WHERE mobile IS NOT NULL;
CREATE INDEX profiles_full_name_key_idx ON profiles (tenant_name, full_name_key, profile_id);
CREATE INDEX profiles_created_at_idx ON profiles (tenant_name, created_at, profile_id);
CREATE INDEX profiles_updated_at_idx ON profiles (tenant_name, updated_at, profile_id);

-- An e-mail address, and a mobile number, belongs to one user; that user's profiles may share it. No unique index can
-- say this, and an exclusion constraint would answer a race by deadlock. So: whoever claims a value first locks it,
-- until the transaction ends, and only then looks (in READ COMMITTED each query of the function sees what has been
-- committed before it, so also by the lock's last holder). Locks are taken in one order: e-mail, mobile.
CREATE FUNCTION profiles_claim_identifiers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF NEW.email_key IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(1, hashtext(NEW.tenant_name || ' ' || NEW.email_key));
        IF EXISTS (SELECT FROM profiles WHERE tenant_name = NEW.tenant_name AND email_key = NEW.email_key
                   AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id) THEN
            RAISE unique_violation USING CONSTRAINT = 'profiles_email_id_key', MESSAGE = 'the e-mail address belongs to another user';
        END IF;
    END IF;
    IF NEW.mobile IS NOT NULL THEN
        PERFORM pg_advisory_xact_lock(2, hashtext(NEW.tenant_name || ' ' || NEW.mobile));
        IF EXISTS (SELECT FROM profiles WHERE tenant_name = NEW.tenant_name AND mobile = NEW.mobile
                   AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id) THEN
            RAISE unique_violation USING CONSTRAINT = 'profiles_mobile_key', MESSAGE = 'the mobile number belongs to another user';
        END IF;
    END IF;
    RETURN NEW;
END
$$;
CREATE TRIGGER profiles_claim_on_insert BEFORE INSERT ON profiles FOR EACH ROW
    WHEN (NEW.deleted_at IS NULL AND (NEW.email_key IS NOT NULL OR NEW.mobile IS NOT NULL))
    EXECUTE FUNCTION profiles_claim_identifiers();
CREATE TRIGGER profiles_claim_on_update BEFORE UPDATE ON profiles FOR EACH ROW
    WHEN (NEW.deleted_at IS NULL AND (OLD.deleted_at IS NOT NULL OR OLD.user_id <> NEW.user_id
          OR OLD.email_key IS DISTINCT FROM NEW.email_key OR OLD.mobile IS DISTINCT FROM NEW.mobile))
    EXECUTE FUNCTION profiles_claim_identifiers();

CREATE TABLE preferences (
    tenant_name      text COLLATE "C" NOT NULL,
    user_id          text COLLATE "C" NOT NULL,
    preference_key   text COLLATE "C" NOT NULL,
    preference_value json NOT NULL,
    CONSTRAINT preferences_pkey PRIMARY KEY (tenant_name, user_id, preference_key),
    CONSTRAINT preferences_tenant_name_fkey FOREIGN KEY (tenant_name) REFERENCES tenants
);

CREATE TABLE idempotency_keys (
    tenant_name     text COLLATE "C" NOT NULL,
    subject         text COLLATE "C" NOT NULL,
    idempotency_key text COLLATE "C" NOT NULL,
    fingerprint     bytea NOT NULL,
    recorded_at     bigint NOT NULL,
    -- What the answer speaks of, so that a purge can erase it.
    concerns        text COLLATE "C" NOT NULL,
    answer          text COLLATE "C",
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_name, subject, idempotency_key)
);
CREATE INDEX idempotency_keys_recorded_at_idx ON idempotency_keys (recorded_at);
CREATE INDEX idempotency_keys_concerns_idx ON idempotency_keys (tenant_name, concerns);

-- Read in the order (transaction_id, change_id), and only below the oldest transaction that is still running: so
-- nothing that commits late is missed.
CREATE TABLE changes (
    transaction_id bigint NOT NULL DEFAULT (pg_current_xact_id()::text::bigint),
    change_id      bigint GENERATED ALWAYS AS IDENTITY,
    tenant_name    text COLLATE "C" NOT NULL,
    user_id        text COLLATE "C",
    profile_id     uuid,
    kind           text COLLATE "C" NOT NULL,
    version        bigint,
    changed_by     text COLLATE "C" NOT NULL,
    changed_at     bigint NOT NULL,
    changed_fields text[] COLLATE "C" NOT NULL,
    CONSTRAINT changes_pkey PRIMARY KEY (transaction_id, change_id)
);

CREATE TABLE secrets (
    secret_name text COLLATE "C" NOT NULL,
    secret      bytea NOT NULL,
    CONSTRAINT secrets_pkey PRIMARY KEY (secret_name)
);
