-- Steps that are being retried, as the worker that failed last has noted it; as few as there are faults.
CREATE TABLE OrderRetries (
  OrderId TEXT NOT NULL,
  Activity TEXT NOT NULL,
  Failures INTEGER NOT NULL,
  FailureType TEXT NOT NULL,
  Failure TEXT NOT NULL,
  FailedAtUtc TEXT NOT NULL,
  NextAttemptAtUtc TEXT NOT NULL,
  StaleAfterUtc TEXT NOT NULL,
  CONSTRAINT PK_OrderRetries PRIMARY KEY (OrderId, Activity)
) STRICT, WITHOUT ROWID;

CREATE INDEX IX_OrderRetries_StaleAfterUtc ON OrderRetries (StaleAfterUtc);

-- The provider has refused our key: the circuit is open until it takes one.
ALTER TABLE ProviderCircuits ADD COLUMN KeyRefused INTEGER NOT NULL DEFAULT 0;
