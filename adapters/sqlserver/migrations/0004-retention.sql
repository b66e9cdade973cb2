-- A purge deletes a closed order with its whole audit chain; to everybody else the audit trail stays append-only.

-- Subjects whose rows the running transaction may delete: inserted and deleted again by the purge, so that no other
-- transaction ever sees one. The application's role may not write it (roles.sql).
CREATE TABLE dbo.AuditPurges (
  Subject VARCHAR(200) COLLATE Latin1_General_100_BIN2 NOT NULL,
  CONSTRAINT PK_AuditPurges PRIMARY KEY CLUSTERED (Subject)
);

-- One index for the attempts under way and for all operations of an order.
DROP INDEX IX_Operations_Leased ON dbo.Operations;

CREATE INDEX IX_Operations_Order ON dbo.Operations (OrderId, Step)
INCLUDE (LeaseUntilUtc);

-- With UX_OutboxMessages_Event, which has the events: all messages of an order.
CREATE INDEX IX_OutboxMessages_Task ON dbo.OutboxMessages (OrderId)
WHERE Sequence = 0;

CREATE INDEX IX_Orders_Ended ON dbo.Orders (UpdatedAtUtc, OrderId)
INCLUDE (Status)
WHERE SagaState = 'ended';

CREATE INDEX IX_ProcessedEvents_Time ON dbo.ProcessedEvents (ProcessedAtUtc);

DROP TRIGGER dbo.TR_AuditLog_AppendOnly;
GO

CREATE TRIGGER dbo.TR_AuditLog_AppendOnly ON dbo.AuditLog
AFTER UPDATE, DELETE
AS
BEGIN
  IF EXISTS (SELECT 1 FROM inserted)
    OR EXISTS (
      SELECT 1 FROM deleted AS Gone
      WHERE NOT EXISTS (SELECT 1 FROM dbo.AuditPurges AS Allowed WHERE Allowed.Subject = Gone.Subject)
    )
    THROW 51000, 'AuditLog is append-only: rows are never changed or deleted', 1;
END;
