-- Two roles for one database. Run once, as its owner, after the first start has made the tables:
--   sqlcmd -S <server> -d <database> -i adapters/sqlserver/roles.sql
-- then add users:  ALTER ROLE order_saga_app ADD MEMBER [<user>];
-- The owner's login runs migrations and the purge; the processes run with the application's.

IF DATABASE_PRINCIPAL_ID(N'order_saga_owner') IS NULL
  CREATE ROLE order_saga_owner;
GO

IF DATABASE_PRINCIPAL_ID(N'order_saga_app') IS NULL
  CREATE ROLE order_saga_app;
GO

-- Migrations: tables, indexes and triggers of the schema, and their rows.
GRANT CREATE TABLE TO order_saga_owner;
GO

GRANT CONTROL ON SCHEMA::dbo TO order_saga_owner;
GO

-- Rows only: no CREATE, ALTER or DROP.
GRANT SELECT, INSERT, UPDATE, DELETE ON SCHEMA::dbo TO order_saga_app;
GO

-- The audit trail only grows. DENY goes before every GRANT.
DENY UPDATE, DELETE ON OBJECT::dbo.AuditLog TO order_saga_app;
GO

-- Who may write here may let audit rows be deleted: the purge, which runs as owner.
DENY INSERT, UPDATE, DELETE ON OBJECT::dbo.AuditPurges TO order_saga_app;
GO

-- What version the schema has is for migrations to say.
DENY INSERT, UPDATE, DELETE ON OBJECT::dbo.SchemaMigrations TO order_saga_app;
GO
