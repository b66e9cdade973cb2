-- Index of what lies in the dead-letter queues, with a copy of each message, its state and who has claimed it. What
-- other programs wrote (queue, ids, type, order) is NVARCHAR, compared by its bytes.
CREATE TABLE dbo.DeadLetters (
  DeadLetterId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Queue NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  MessageId NVARCHAR(255) NOT NULL,
  MessageType NVARCHAR(255) NOT NULL,
  OrderReference NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NOT NULL,
  TraceId VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Reason NVARCHAR(MAX) NOT NULL,
  Error NVARCHAR(MAX) NOT NULL,
  Fingerprint VARCHAR(64) COLLATE Latin1_General_100_BIN2 NOT NULL,
  Attempts INT NOT NULL,
  FirstFailedAtUtc DATETIME2(3) NOT NULL,
  LastFailedAtUtc DATETIME2(3) NOT NULL,
  IndexedAtUtc DATETIME2(3) NOT NULL,
  State VARCHAR(32) COLLATE Latin1_General_100_BIN2 NOT NULL CONSTRAINT DF_DeadLetters_State DEFAULT ('open'),
  ReplayId NVARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL,
  ReplayError NVARCHAR(MAX) NULL,
  Patch NVARCHAR(MAX) NULL,
  ClaimedAtUtc DATETIME2(3) NULL,
  SettledAtUtc DATETIME2(3) NULL,
  LeftAtUtc DATETIME2(3) NULL,
  -- JSON of properties and headers.
  Envelope NVARCHAR(MAX) NOT NULL,
  Content VARBINARY(MAX) NOT NULL,
  CONSTRAINT PK_DeadLetters PRIMARY KEY CLUSTERED (DeadLetterId),
  CONSTRAINT CK_DeadLetters_Envelope CHECK (ISJSON(Envelope) = 1),
  CONSTRAINT CK_DeadLetters_State CHECK (State IN ('open', 'replaying', 'replayed', 'discarded'))
);

-- Groups and their counts are answered from this index alone, but for one error text each.
CREATE INDEX IX_DeadLetters_Group ON dbo.DeadLetters (Queue, Fingerprint, State, LastFailedAtUtc, DeadLetterId);

CREATE INDEX IX_DeadLetters_Time ON dbo.DeadLetters (State, LastFailedAtUtc, DeadLetterId);

CREATE INDEX IX_DeadLetters_Order ON dbo.DeadLetters (OrderReference, State);

CREATE INDEX IX_DeadLetters_Replay ON dbo.DeadLetters (ReplayId, State)
WHERE ReplayId IS NOT NULL;

CREATE INDEX IX_DeadLetters_Leaving ON dbo.DeadLetters (Queue, DeadLetterId)
WHERE SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL;

CREATE INDEX IX_DeadLetters_Left ON dbo.DeadLetters (SettledAtUtc)
WHERE LeftAtUtc IS NOT NULL;
