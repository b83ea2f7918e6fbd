-- The index of grams is told which words of a profile go, where it was told the profile's number alone: then each search had to look
-- up for every entry whether it is deleted. It is made anew, and `migrate` derives all grams again; that also gives those their grams
-- whose attributes alone were changed. Every node of an earlier program must have been stopped: it cannot write to this index.
DROP TABLE profile_grams;
CREATE VIRTUAL TABLE profile_grams USING fts5 (words, content = '', columnsize = 0, detail = none, tokenize = 'ascii');
INSERT OR IGNORE INTO profiles_without_grams (profile_number) SELECT profile_number FROM profiles;
