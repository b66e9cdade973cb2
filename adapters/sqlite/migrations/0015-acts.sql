-- What people asked of an order and was accepted, or refused after their call was answered; each by its id.
CREATE TABLE Acts (
  OrderId TEXT NOT NULL,
  ActId TEXT NOT NULL,
  Name TEXT NOT NULL,
  Fingerprint TEXT,
  State TEXT NOT NULL,
  Reason TEXT,
  RecordedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_Acts PRIMARY KEY (OrderId, ActId),
  CONSTRAINT FK_Acts_Orders FOREIGN KEY (OrderId) REFERENCES Orders (OrderId),
  CONSTRAINT CK_Acts_State CHECK (State IN ('accepted', 'done', 'overtaken', 'refused'))
) STRICT, WITHOUT ROWID;
