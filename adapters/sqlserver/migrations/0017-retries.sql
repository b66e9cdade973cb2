-- Steps that are being retried, as the worker that failed last has noted it; as few as there are faults.
CREATE TABLE dbo.OrderRetries (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Activity VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Failures INT NOT NULL,
  FailureType VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Failure NVARCHAR(MAX) NOT NULL,
  FailedAtUtc DATETIME2(3) NOT NULL,
  NextAttemptAtUtc DATETIME2(3) NOT NULL,
  StaleAfterUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_OrderRetries PRIMARY KEY CLUSTERED (OrderId, Activity)
);

CREATE INDEX IX_OrderRetries_StaleAfterUtc ON dbo.OrderRetries (StaleAfterUtc);

-- The provider has refused our key: the circuit is open until it takes one.
ALTER TABLE dbo.ProviderCircuits ADD KeyRefused BIT NOT NULL CONSTRAINT DF_ProviderCircuits_KeyRefused DEFAULT 0;
