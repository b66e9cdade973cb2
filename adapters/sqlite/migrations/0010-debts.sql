-- A refund that waits for the end of a dispute is a debt; one that was paid by other means, or of which nothing was left,
-- has a state of its own. SQLite changes a CHECK only with its table.
CREATE TABLE RefundsWithDebts (
  OrderId TEXT NOT NULL,
  RefundId TEXT NOT NULL,
  N INTEGER NOT NULL,
  State TEXT NOT NULL,
  AmountMinor INTEGER NOT NULL,
  Currency TEXT NOT NULL,
  ProviderRefundId TEXT,
  KeyNumber INTEGER NOT NULL,
  Fingerprint TEXT NOT NULL,
  Actor TEXT NOT NULL,
  Reason TEXT NOT NULL,
  Failure TEXT,
  RequestedAtUtc TEXT NOT NULL,
  SettledAtUtc TEXT,
  CONSTRAINT PK_Refunds PRIMARY KEY (OrderId, RefundId),
  CONSTRAINT FK_Refunds_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Refunds_AmountMinor CHECK (AmountMinor > 0),
  CONSTRAINT CK_Refunds_State CHECK (
    State IN ('owed', 'requested', 'pending', 'refunded', 'failed', 'canceled', 'paid_otherwise')
  )
) STRICT, WITHOUT ROWID;

INSERT INTO RefundsWithDebts (OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint,
  Actor, Reason, Failure, RequestedAtUtc, SettledAtUtc)
SELECT OrderId, RefundId, N, State, AmountMinor, Currency, ProviderRefundId, KeyNumber, Fingerprint, Actor, Reason, Failure,
  RequestedAtUtc, SettledAtUtc
FROM Refunds;

DROP TABLE Refunds;
ALTER TABLE RefundsWithDebts RENAME TO Refunds;

-- What is asked for every few seconds; as long as what waits.
CREATE INDEX IX_Refunds_Undecided ON Refunds (State, RequestedAtUtc) WHERE State IN ('owed', 'requested', 'pending');

-- Until when the bank can be answered, as the provider says.
ALTER TABLE Disputes ADD COLUMN DueByUtc TEXT;
