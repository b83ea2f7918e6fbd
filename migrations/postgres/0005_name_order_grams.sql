-- Grams now tell where the name lies, in the order of names, of a profile that has a word elsewhere; the values of
-- attributes; and who was born in a country's year: `migrate` derives them
-- again. Every node of an earlier program must have been stopped, or it writes rows without these.
UPDATE profiles SET grams = NULL WHERE grams IS NOT NULL;
