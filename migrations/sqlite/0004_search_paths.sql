-- The grams by which search finds rare words and common fields (see docs/search.md). They are kept under the number of the
-- profile's row, and SQLite renumbers rows (VACUUM does) unless the number is a column: so the table is made anew with one.
CREATE TABLE profiles_numbered (
    profile_number    INTEGER NOT NULL,
    tenant_name       TEXT NOT NULL,
    profile_id        BLOB NOT NULL,
    deleted_at        INTEGER,
    -- Derived by the service. What search looks at stands in front of what may be long: the rest of a row is then not read.
    full_name_key     TEXT NOT NULL,
    email_key         TEXT,
    search_doc        TEXT NOT NULL,
    created_at        INTEGER NOT NULL,
    updated_at        INTEGER NOT NULL,
    active            INTEGER NOT NULL,
    gender            TEXT,
    birth_date        TEXT,
    city_id           TEXT,
    country_id        TEXT,
    latitude          REAL,
    longitude         REAL,
    profile_type      TEXT NOT NULL,
    user_id           TEXT NOT NULL,
    full_name         TEXT NOT NULL,
    email_id          TEXT,
    mobile            TEXT,
    address           TEXT,
    profile_image_url TEXT,
    -- The canonical text, not JSONB: it is given back as it was stored.
    attributes        TEXT NOT NULL,
    created_by        TEXT NOT NULL,
    updated_by        TEXT NOT NULL,
    deleted_by        TEXT,
    version           INTEGER NOT NULL,
    CONSTRAINT profiles_profile_number_key PRIMARY KEY (profile_number),
    CONSTRAINT profiles_pkey UNIQUE (tenant_name, profile_id),
    CONSTRAINT profiles_tenant_name_fkey FOREIGN KEY (tenant_name) REFERENCES tenants (tenant_name)
) STRICT;

INSERT INTO profiles_numbered
    (tenant_name, profile_id, deleted_at, full_name_key, email_key, search_doc, created_at, updated_at, active, gender, birth_date,
     city_id, country_id, latitude, longitude, profile_type, user_id, full_name, email_id, mobile, address, profile_image_url,
     attributes, created_by, updated_by, deleted_by, version)
SELECT tenant_name, profile_id, deleted_at, full_name_key, email_key, search_doc, created_at, updated_at, active, gender, birth_date,
     city_id, country_id, latitude, longitude, profile_type, user_id, full_name, email_id, mobile, address, profile_image_url,
     attributes, created_by, updated_by, deleted_by, version
FROM profiles ORDER BY rowid;
DROP TABLE profiles;
ALTER TABLE profiles_numbered RENAME TO profiles;

CREATE UNIQUE INDEX profiles_user_id_profile_type_key ON profiles (tenant_name, user_id, profile_type) WHERE deleted_at IS NULL;
CREATE INDEX profiles_user_id_idx ON profiles (tenant_name, user_id, profile_id);
CREATE INDEX profiles_email_key_idx ON profiles (tenant_name, email_key, profile_id);
CREATE INDEX profiles_mobile_idx ON profiles (tenant_name, mobile) WHERE mobile IS NOT NULL;
CREATE INDEX profiles_updated_at_idx ON profiles (tenant_name, updated_at, profile_id);
CREATE INDEX profiles_birth_date_idx ON profiles (tenant_name, birth_date, profile_id);
CREATE INDEX profiles_city_id_idx ON profiles (tenant_name, city_id, profile_id);
CREATE INDEX profiles_country_id_idx ON profiles (tenant_name, country_id, profile_id);
-- The two orders that most pages are asked for in: a scan finds all that it looks at in the index itself.
CREATE INDEX profiles_full_name_key_idx ON profiles
    (tenant_name, full_name_key, profile_id, deleted_at, search_doc, active, gender, birth_date, city_id, country_id);
CREATE INDEX profiles_created_at_idx ON profiles
    (tenant_name, created_at, profile_id, deleted_at, search_doc, active, gender, birth_date, city_id, country_id);

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

-- The grams of each profile as words, under the profile's number: in the same transaction as the row. Neither the words
-- themselves nor where they stand is kept, only who has them.
CREATE VIRTUAL TABLE profile_grams USING fts5 (words, content = '', contentless_delete = 1, detail = none, tokenize = 'ascii');

-- Profiles of an earlier program. `migrate` derives their grams; until the last one has got its own, no search goes by grams.
CREATE TABLE profiles_without_grams (
    profile_number INTEGER NOT NULL,
    CONSTRAINT profiles_without_grams_pkey PRIMARY KEY (profile_number)
) STRICT;
INSERT INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;

-- Statistics of a large directory, for the planner: those that were there went with the table.
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('profiles', 'sqlite_autoindex_profiles_1', '10000000 100000 1'),
    ('profiles', 'profiles_user_id_profile_type_key', '10000000 100000 2 1'),
    ('profiles', 'profiles_user_id_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_email_key_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_mobile_idx', '10000000 100000 2'),
    ('profiles', 'profiles_full_name_key_idx', '10000000 100000 5 1 1 1 1 1 1 1 1'),
    ('profiles', 'profiles_created_at_idx', '10000000 100000 2 1 1 1 1 1 1 1 1'),
    ('profiles', 'profiles_updated_at_idx', '10000000 100000 2 1'),
    ('profiles', 'profiles_birth_date_idx', '10000000 100000 20 1'),
    ('profiles', 'profiles_city_id_idx', '10000000 100000 60000 1'),
    ('profiles', 'profiles_country_id_idx', '10000000 100000 80000 1');
ANALYZE sqlite_schema;
