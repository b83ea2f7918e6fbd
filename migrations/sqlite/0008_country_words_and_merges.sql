-- Words of countries are PostgreSQL's. Segments of grams are merged two by two, while nobody waits for a write.
INSERT INTO profile_grams (profile_grams, rank) VALUES ('usermerge', 2);
