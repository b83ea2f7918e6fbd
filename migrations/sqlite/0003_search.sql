-- The other orders in which a page may be asked for. To the planner, a city or a country tells little: a large one is read
-- faster in the order that was asked for.
CREATE INDEX profiles_birth_date_idx ON profiles (tenant_name, birth_date, profile_id);
CREATE INDEX profiles_city_id_idx ON profiles (tenant_name, city_id, profile_id);
CREATE INDEX profiles_country_id_idx ON profiles (tenant_name, country_id, profile_id);
INSERT INTO sqlite_stat1 (tbl, idx, stat) VALUES
    ('profiles', 'profiles_birth_date_idx', '10000000 100000 20 1'),
    ('profiles', 'profiles_city_id_idx', '10000000 100000 60000 1'),
    ('profiles', 'profiles_country_id_idx', '10000000 100000 80000 1');
ANALYZE sqlite_schema;
