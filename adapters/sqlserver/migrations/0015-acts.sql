-- What people asked of an order and was accepted, or refused after their call was answered; each by its id.
CREATE TABLE dbo.Acts (
  OrderId CHAR(36) COLLATE Latin1_General_100_BIN2 NOT NULL,
  ActId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Name NVARCHAR(400) NOT NULL,
  Fingerprint VARCHAR(64) COLLATE Latin1_General_100_BIN2 NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Reason NVARCHAR(MAX) NULL,
  RecordedAtUtc DATETIME2(3) NOT NULL,
  CONSTRAINT PK_Acts PRIMARY KEY CLUSTERED (OrderId, ActId),
  CONSTRAINT FK_Acts_Orders FOREIGN KEY (OrderId) REFERENCES dbo.Orders (OrderId),
  CONSTRAINT CK_Acts_State CHECK (State IN ('accepted', 'done', 'overtaken', 'refused'))
);
