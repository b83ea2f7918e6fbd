-- What search finds rare words and common fields by (see docs/search.md). NULL: not derived yet; searches look at such
-- rows besides, and `migrate` derives them.
ALTER TABLE profiles ADD COLUMN grams integer[];

-- With a pending list as short as this, neither a write nor a search ever waits long for it.
CREATE INDEX profiles_grams_idx ON profiles USING gin (grams) WITH (fastupdate = on, gin_pending_list_limit = 256);
CREATE INDEX profiles_without_grams_idx ON profiles (tenant_name) WHERE grams IS NULL;

-- The other orders in which a page may be asked for.
CREATE INDEX profiles_birth_date_idx ON profiles (tenant_name, birth_date, profile_id);
CREATE INDEX profiles_city_id_idx ON profiles (tenant_name, city_id, profile_id);
CREATE INDEX profiles_country_id_idx ON profiles (tenant_name, country_id, profile_id);

-- Searches are routed by these.
ALTER TABLE profiles ALTER COLUMN grams SET STATISTICS 2000;
ALTER TABLE profiles ALTER COLUMN tenant_name SET STATISTICS 1000;
