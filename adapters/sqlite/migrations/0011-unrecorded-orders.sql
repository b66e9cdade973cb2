-- Orders that were purged: their Idempotency-Keys and operation keys stay used up.
CREATE TABLE PurgedOrders (
  OrderId TEXT NOT NULL,
  Status TEXT NOT NULL,
  PurgedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_PurgedOrders PRIMARY KEY (OrderId)
) STRICT, WITHOUT ROWID;

-- What earlier purges recorded: "order:<id>: <n> audit rows, head …".
INSERT OR IGNORE INTO PurgedOrders (OrderId, Status, PurgedAtUtc)
SELECT substr(Reason, 7, 36), FromState, OccurredAtUtc FROM AuditLog
WHERE Subject >= 'purge:' AND Subject < 'purge;' AND ToState = 'purged' AND Reason LIKE 'order:%';

-- Runs of orders that Temporal knows and Orders does not, as a sweep found them; as few as there are faults.
CREATE TABLE UnrecordedOrders (
  OrderId TEXT NOT NULL,
  RunId TEXT NOT NULL,
  ClosedAs TEXT,
  Status TEXT NOT NULL,
  StartedAtUtc TEXT NOT NULL,
  FoundAtUtc TEXT NOT NULL,
  CONSTRAINT PK_UnrecordedOrders PRIMARY KEY (OrderId)
) STRICT, WITHOUT ROWID;
