-- Grams now tell of a number's first ten characters, and of a name's words together with the city: `migrate` derives them
-- again. Every node of an earlier program must have been stopped, or it writes rows without these.
UPDATE profiles SET grams = NULL WHERE grams IS NOT NULL;
