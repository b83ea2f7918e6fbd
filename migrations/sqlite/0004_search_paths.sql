-- PostgreSQL's counts go along an index; here they do as it is.
SELECT 1;
