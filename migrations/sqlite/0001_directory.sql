-- Text is compared by its bytes: SQLite's own collation, BINARY, does. Times are Unix milliseconds. Neither clock nor
-- ids are made here: both are inputs. A UUID is its 16 bytes, so that ids are in the same order as in PostgreSQL.

CREATE TABLE tenants (
    tenant_name  TEXT NOT NULL,
    display_name TEXT,
    suspended    INTEGER NOT NULL,
    created_by   TEXT NOT NULL,
    updated_by   TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    updated_at   INTEGER NOT NULL,
    version      INTEGER NOT NULL,
    CONSTRAINT tenants_pkey PRIMARY KEY (tenant_name)
) STRICT;

CREATE TABLE profiles (
    tenant_name       TEXT NOT NULL,
    profile_id        BLOB NOT NULL,
    profile_type      TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    full_name         TEXT NOT NULL,
    gender            TEXT,
    email_id          TEXT,
    mobile            TEXT,
    birth_date        TEXT,
    city_id           TEXT,
    country_id        TEXT,
    address           TEXT,
    latitude          REAL,
    longitude         REAL,
    profile_image_url TEXT,
    -- The canonical text, not JSONB: it is given back as it was stored.
    attributes        TEXT NOT NULL,
    active            INTEGER NOT NULL,
    created_by        TEXT NOT NULL,
    updated_by        TEXT NOT NULL,
    deleted_by        TEXT,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    deleted_at        INTEGER,
    version           INTEGER NOT NULL,
    -- Derived by the service: what names and addresses are compared by, and what search looks at.
    full_name_key     TEXT NOT NULL,
    email_key         TEXT,
    search_doc        TEXT NOT NULL,
    CONSTRAINT profiles_pkey PRIMARY KEY (tenant_name, profile_id),
    CONSTRAINT profiles_tenant_name_fkey FOREIGN KEY (tenant_name) REFERENCES tenants (tenant_name)
) STRICT;

CREATE UNIQUE INDEX profiles_user_id_profile_type_key ON profiles (tenant_name, user_id, profile_type) WHERE deleted_at IS NULL;
CREATE INDEX profiles_user_id_idx ON profiles (tenant_name, user_id, profile_id);
CREATE INDEX profiles_email_key_idx ON profiles (tenant_name, email_key, profile_id);
CREATE INDEX profiles_mobile_idx ON profiles (tenant_name, mobile) WHERE mobile IS NOT NULL;
CREATE INDEX profiles_full_name_key_idx ON profiles (tenant_name, full_name_key, profile_id);
CREATE INDEX profiles_created_at_idx ON profiles (tenant_name, created_at, profile_id);
CREATE INDEX profiles_updated_at_idx ON profiles (tenant_name, updated_at, profile_id);

-- An e-mail address, and a mobile number, belongs to one user; that user's profiles may share it. No unique index can
-- say this. Writers come one after the other, so looking before the write is enough.
CREATE TRIGGER profiles_claim_on_insert BEFORE INSERT ON profiles FOR EACH ROW
WHEN NEW.deleted_at IS NULL AND (NEW.email_key IS NOT NULL OR NEW.mobile IS NOT NULL)
BEGIN
    SELECT RAISE(ABORT, 'profiles_email_id_key')
    WHERE EXISTS (SELECT 1 FROM profiles WHERE tenant_name = NEW.tenant_name AND email_key = NEW.email_key
                  AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id);
    SELECT RAISE(ABORT, 'profiles_mobile_key')
    WHERE EXISTS (SELECT 1 FROM profiles WHERE tenant_name = NEW.tenant_name AND mobile = NEW.mobile
                  AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id);
END;
CREATE TRIGGER profiles_claim_on_update BEFORE UPDATE ON profiles FOR EACH ROW
WHEN NEW.deleted_at IS NULL AND (OLD.deleted_at IS NOT NULL OR OLD.user_id <> NEW.user_id
     OR OLD.email_key IS NOT NEW.email_key OR OLD.mobile IS NOT NEW.mobile)
BEGIN
    SELECT RAISE(ABORT, 'profiles_email_id_key')
    WHERE EXISTS (SELECT 1 FROM profiles WHERE tenant_name = NEW.tenant_name AND email_key = NEW.email_key
                  AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id);
    SELECT RAISE(ABORT, 'profiles_mobile_key')
    WHERE EXISTS (SELECT 1 FROM profiles WHERE tenant_name = NEW.tenant_name AND mobile = NEW.mobile
                  AND deleted_at IS NULL AND user_id <> NEW.user_id AND profile_id <> NEW.profile_id);
END;

CREATE TABLE preferences (
    tenant_name      TEXT NOT NULL,
    user_id          TEXT NOT NULL,
    preference_key   TEXT NOT NULL,
    preference_value TEXT NOT NULL,
    CONSTRAINT preferences_pkey PRIMARY KEY (tenant_name, user_id, preference_key),
    CONSTRAINT preferences_tenant_name_fkey FOREIGN KEY (tenant_name) REFERENCES tenants (tenant_name)
) STRICT;

CREATE TABLE idempotency_keys (
    tenant_name     TEXT NOT NULL,
    subject         TEXT NOT NULL,
    idempotency_key TEXT NOT NULL,
    fingerprint     BLOB NOT NULL,
    recorded_at     INTEGER NOT NULL,
    -- What the answer speaks of, so that a purge can erase it.
    concerns        TEXT NOT NULL,
    answer          TEXT,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (tenant_name, subject, idempotency_key)
) STRICT;
CREATE INDEX idempotency_keys_recorded_at_idx ON idempotency_keys (recorded_at);
CREATE INDEX idempotency_keys_concerns_idx ON idempotency_keys (tenant_name, concerns);

-- Writers come one after the other and an id is never used again, so the ids are in the order of the commits.
CREATE TABLE changes (
    change_id      INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    tenant_name    TEXT NOT NULL,
    user_id        TEXT,
    profile_id     BLOB,
    kind           TEXT NOT NULL,
    version        INTEGER,
    changed_by     TEXT NOT NULL,
    changed_at     INTEGER NOT NULL,
    -- A JSON array of names.
    changed_fields TEXT NOT NULL
) STRICT;

CREATE TABLE secrets (
    secret_name TEXT NOT NULL,
    secret      BLOB NOT NULL,
    CONSTRAINT secrets_pkey PRIMARY KEY (secret_name)
) STRICT;

-- Statistics of a large directory, for the planner. Without any it takes an e-mail address for something that many
-- share; with those of a directory that was small when they were taken, it reads whole tables. These suit every size.
ANALYZE profiles;
DELETE FROM sqlite_stat1 WHERE tbl = 'profiles';
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('profiles', 'sqlite_autoindex_profiles_1', '10000000 100000 1'),
    ('profiles', 'profiles_user_id_profile_type_key', '10000000 100000 2 1'),
    ('profiles', 'profiles_user_id_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_email_key_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_mobile_idx', '10000000 100000 2'),
    ('profiles', 'profiles_full_name_key_idx', '10000000 100000 5 1'),
    ('profiles', 'profiles_created_at_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_updated_at_idx', '10000000 100000 2 1');
ANALYZE sqlite_schema;
