-- The second wall: a role for which row-level security shows the rows of one tenant only, the one that the transaction
-- names in n_users.tenant; without a name it sees none. What erases for good takes this role on; docs/row-level-security.md
-- says why other statements do not. The owner of the tables is not bound by it.
--
-- Roles belong to the whole cluster, and making one is not everybody's right: without it the wall is left out, with a
-- warning. An administrator may make the role beforehand (CREATE ROLE n_users_tenant NOLOGIN) and grant it to the owner.
DO $$
DECLARE
    bound text;
    granted text;
BEGIN
    BEGIN
        IF to_regrole('n_users_tenant') IS NULL THEN
            CREATE ROLE n_users_tenant NOLOGIN;
        END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN
        NULL; -- made for another database of the cluster at this moment
    END;
    IF NOT pg_has_role('n_users_tenant', 'MEMBER') THEN
        GRANT n_users_tenant TO CURRENT_USER;
    END IF;
    EXECUTE format('GRANT USAGE ON SCHEMA %I TO n_users_tenant', current_schema());
    FOR bound, granted IN VALUES
        ('tenants', 'SELECT, UPDATE, DELETE'), ('profiles', 'SELECT, INSERT, UPDATE, DELETE'),
        ('preferences', 'SELECT, INSERT, UPDATE, DELETE'), ('idempotency_keys', 'SELECT, INSERT, UPDATE, DELETE'),
        ('changes', 'SELECT, INSERT')
    LOOP
        EXECUTE format('GRANT %s ON %I TO n_users_tenant', granted, bound);
        EXECUTE format('CREATE POLICY %I ON %I TO n_users_tenant USING (tenant_name = current_setting(''n_users.tenant'', true))',
                       bound || '_of_one_tenant', bound);
        EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', bound);
    END LOOP;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'the role n_users_tenant could not be made or taken: row-level security is left out';
END
$$;
