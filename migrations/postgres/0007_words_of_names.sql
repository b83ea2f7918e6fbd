-- Those who have a word at the beginning of their name, or of its last word, are counted and put in order without their rows, beside
-- the filters that are most common too: these two indexes have all that it takes. The last word is kept up to 16 characters,
-- so that the longest names fit.
DROP INDEX profiles_full_name_key_idx;
CREATE INDEX profiles_full_name_key_idx ON profiles (tenant_name, full_name_key, profile_id)
    INCLUDE (created_at, deleted_at, active, gender, country_id);
CREATE INDEX profiles_last_word_idx ON profiles (tenant_name, left(split_part(full_name_key, ' ', -1), 16), full_name_key, profile_id)
    INCLUDE (created_at, deleted_at, active, gender, country_id);

-- Which last words are common, and so how many entries of the second are passed over behind a word.
DO $$
BEGIN
    FOR i IN 0..7 LOOP
        EXECUTE format('CREATE STATISTICS %I ON (left(split_part(full_name_key, '' '', -1), 16)) FROM %I',
                       'profiles_p' || i || '_last_word', 'profiles_p' || i);
        EXECUTE format('ALTER STATISTICS %I SET STATISTICS 1000', 'profiles_p' || i || '_last_word');
    END LOOP;
END
$$;

-- Grams now tell of all others that have a word: `migrate` derives them again. Every node of an earlier program must have been
-- stopped, or it writes rows without these.
UPDATE profiles SET grams = NULL WHERE grams IS NOT NULL;
