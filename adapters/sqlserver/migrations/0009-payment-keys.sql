-- Cancels and refunds of a payment are numbered as its creates and confirms are, and a payment belongs to its method.
ALTER TABLE dbo.Payments ADD CancelKeyNumber INT NOT NULL CONSTRAINT DF_Payments_CancelKeyNumber DEFAULT 1;
ALTER TABLE dbo.Payments ADD RefundKeyNumber INT NOT NULL CONSTRAINT DF_Payments_RefundKeyNumber DEFAULT 1;
ALTER TABLE dbo.Payments ADD PaymentMethodId VARCHAR(255) COLLATE Latin1_General_100_BIN2 NULL;
