-- A purge deletes a closed order with its whole audit chain; to everybody else the audit trail stays append-only.

-- Subjects whose rows the running transaction may delete: inserted and deleted again by the purge, so that no other
-- transaction ever sees one.
CREATE TABLE AuditPurges (
  Subject TEXT NOT NULL,
  CONSTRAINT PK_AuditPurges PRIMARY KEY (Subject)
) STRICT, WITHOUT ROWID;

DROP TRIGGER TR_AuditLog_NoDelete;

CREATE TRIGGER TR_AuditLog_NoDelete BEFORE DELETE ON AuditLog
WHEN NOT EXISTS (SELECT 1 FROM AuditPurges WHERE Subject = OLD.Subject)
BEGIN
  SELECT RAISE(ABORT, 'AuditLog is append-only: rows are never deleted');
END;

-- One index for the attempts under way and for all operations of an order.
DROP INDEX IX_Operations_Leased;
CREATE INDEX IX_Operations_Order ON Operations (OrderId, Step);

-- With UX_OutboxMessages_Event, which has the events: all messages of an order.
CREATE INDEX IX_OutboxMessages_Task ON OutboxMessages (OrderId) WHERE Sequence = 0;
CREATE INDEX IX_Orders_Ended ON Orders (UpdatedAtUtc, OrderId) WHERE SagaState = 'ended';
CREATE INDEX IX_ProcessedEvents_Time ON ProcessedEvents (ProcessedAtUtc);
