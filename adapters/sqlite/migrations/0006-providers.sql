-- Operators' switches; a provider without a row was never paused.
CREATE TABLE Providers (
  Provider TEXT NOT NULL,
  State TEXT NOT NULL,
  Actor TEXT NOT NULL,
  Reason TEXT NOT NULL,
  SinceUtc TEXT NOT NULL,
  CONSTRAINT PK_Providers PRIMARY KEY (Provider),
  CONSTRAINT CK_Providers_State CHECK (State IN ('running', 'paused'))
) STRICT, WITHOUT ROWID;

-- What each worker process last reported of its circuit breakers.
CREATE TABLE ProviderCircuits (
  Provider TEXT NOT NULL,
  Process TEXT NOT NULL,
  State TEXT NOT NULL,
  Reason TEXT NOT NULL,
  SinceUtc TEXT NOT NULL,
  ReportedAtUtc TEXT NOT NULL,
  CONSTRAINT PK_ProviderCircuits PRIMARY KEY (Provider, Process),
  CONSTRAINT CK_ProviderCircuits_State CHECK (State IN ('closed', 'open', 'half-open'))
) STRICT, WITHOUT ROWID;
