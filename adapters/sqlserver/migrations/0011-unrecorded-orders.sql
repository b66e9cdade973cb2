-- Orders that were purged: their Idempotency-Keys and operation keys stay used up.
CREATE TABLE dbo.PurgedOrders (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Status VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  PurgedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_PurgedOrders PRIMARY KEY CLUSTERED (OrderId)
);

-- Runs of orders that Temporal knows and Orders does not, as a sweep found them; as few as there are faults.
CREATE TABLE dbo.UnrecordedOrders (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  RunId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ClosedAs VARCHAR(32) COLLATE Latin1_General_100_BIN2 NULL,
  Status VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  StartedAtUtc DATETIME2(3) NOT NULL,
  FoundAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_UnrecordedOrders PRIMARY KEY CLUSTERED (OrderId)
);
GO

-- What earlier purges recorded: "order:<id>: <n> audit rows, head …".
INSERT INTO dbo.PurgedOrders (OrderId, Status, PurgedAtUtc)
SELECT CAST(SUBSTRING(Reason, 7, 36) AS CHAR(36)), CAST(MAX(FromState) AS VARCHAR(32)), MAX(OccurredAtUtc)
FROM dbo.AuditLog
WHERE Subject >= 'purge:' AND Subject < 'purge;' AND ToState = 'purged' AND Reason LIKE 'order:%'
GROUP BY SUBSTRING(Reason, 7, 36);
