-- A refund that waits for the end of a dispute is a debt; one that was paid by other means, or of which nothing was left,
-- has a state of its own. The table is written anew: a named CHECK cannot be changed everywhere.
SELECT
  OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor, Reason, Failure,
  RequestedAtUtc, SettledAtUtc
INTO dbo.RefundsBefore
FROM dbo.Refunds;

DROP TABLE dbo.Refunds;
GO

CREATE TABLE dbo.Refunds (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  RefundId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  N INT NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  AmountMinor BIGINT NOT NULL,
  Currency CHAR(3) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ProviderRefundId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  KeyNumber INT NOT NULL,
  Fingerprint VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Actor NVARCHAR(400) NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  Failure NVARCHAR(MAX) NULL,
  RequestedAtUtc DATETIME2(3) NOT NULL,
  SettledAtUtc DATETIME2(3) NULL,
  CONSTRAINT PK_Refunds PRIMARY KEY CLUSTERED (OrderId, RefundId),
  CONSTRAINT FK_Refunds_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Refunds_AmountMinor CHECK (AmountMinor > 0),
  CONSTRAINT CK_Refunds_State CHECK (
    State IN ('owed', 'requested', 'pending', 'refunded', 'failed', 'canceled', 'paid_otherwise')
  )
);

INSERT INTO dbo.Refunds (
  OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor, Reason, Failure,
  RequestedAtUtc, SettledAtUtc
)
SELECT
  OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor, Reason, Failure,
  RequestedAtUtc, SettledAtUtc
FROM dbo.RefundsBefore;

DROP TABLE dbo.RefundsBefore;

-- What is asked for every few seconds; as long as what waits.
CREATE INDEX IX_Refunds_Undecided ON dbo.Refunds (State, RequestedAtUtc)
WHERE State IN ('owed', 'requested', 'pending');

-- Until when the bank can be answered, as the provider says.
ALTER TABLE dbo.Disputes ADD DueByUtc DATETIME2(3) NULL;
