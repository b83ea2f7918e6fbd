-- Counting goes along these two without the rows themselves; so whether one is deleted stands in them.
DROP INDEX profiles_full_name_key_idx;
CREATE INDEX profiles_full_name_key_idx ON profiles (tenant_name, full_name_key, profile_id) INCLUDE (deleted_at);
DROP INDEX profiles_email_key_idx;
CREATE INDEX profiles_email_key_idx ON profiles (tenant_name, email_key, profile_id) INCLUDE (deleted_at);

-- Grams now tell the time of creation too: `migrate` derives them again.
UPDATE profiles SET grams = NULL WHERE grams IS NOT NULL;

-- An index alone answers only for pages that a vacuum has seen: in a large tenant one is due long before a fifth of it is new.
DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('ALTER TABLE %I SET (autovacuum_vacuum_insert_scale_factor = 0.02, autovacuum_vacuum_scale_factor = 0.05)',
                       'profiles_p' || i);
    END LOOP;
END
$$;
