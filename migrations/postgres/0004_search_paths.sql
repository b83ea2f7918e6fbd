-- What SQLite needs for its paths is here already: nothing to do. The file keeps both histories in step.
SELECT 1;
