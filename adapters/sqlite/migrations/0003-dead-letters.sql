-- Index of what lies in the dead-letter queues, with a copy of each message, its state and who has claimed it.
CREATE TABLE DeadLetters (
  Id TEXT NOT NULL,
  Queue TEXT NOT NULL,
  MessageId TEXT NOT NULL,
  Type TEXT NOT NULL,
  OrderId TEXT NOT NULL,
  TraceId TEXT NOT NULL,
  Reason TEXT NOT NULL,
  Error TEXT NOT NULL,
  Fingerprint TEXT NOT NULL,
  Attempts INTEGER NOT NULL,
  FirstFailedAtUtc TEXT NOT NULL,
  LastFailedAtUtc TEXT NOT NULL,
  IndexedAtUtc TEXT NOT NULL,
  State TEXT NOT NULL DEFAULT 'open',
  ReplayId TEXT,
  ReplayError TEXT,
  Patch TEXT,
  ClaimedAtUtc TEXT,
  SettledAtUtc TEXT,
  LeftAtUtc TEXT,
  -- JSON of properties and headers; the content in base64.
  Envelope TEXT NOT NULL,
  Content TEXT NOT NULL,
  CONSTRAINT PK_DeadLetters PRIMARY KEY (Id),
  CONSTRAINT CK_DeadLetters_State CHECK (State IN ('open', 'replaying', 'replayed', 'discarded'))
) STRICT;

-- Groups and their counts are answered from this index alone, but for one error text each.
CREATE INDEX IX_DeadLetters_Group ON DeadLetters (Queue, Fingerprint, State, LastFailedAtUtc, Id);
CREATE INDEX IX_DeadLetters_Time ON DeadLetters (State, LastFailedAtUtc, Id);
CREATE INDEX IX_DeadLetters_Order ON DeadLetters (OrderId, State) WHERE OrderId <> '';
CREATE INDEX IX_DeadLetters_Replay ON DeadLetters (ReplayId, State) WHERE ReplayId IS NOT NULL;
CREATE INDEX IX_DeadLetters_Leaving ON DeadLetters (Queue, Id) WHERE SettledAtUtc IS NOT NULL AND LeftAtUtc IS NULL;
CREATE INDEX IX_DeadLetters_Left ON DeadLetters (SettledAtUtc) WHERE LeftAtUtc IS NOT NULL;
