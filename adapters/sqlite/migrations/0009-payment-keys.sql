-- Cancels and refunds of a payment are numbered as its creates and confirms are, and a payment belongs to its method.
ALTER TABLE Payments ADD COLUMN CancelKeyNumber INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Payments ADD COLUMN RefundKeyNumber INTEGER NOT NULL DEFAULT 1;
ALTER TABLE Payments ADD COLUMN PaymentMethodId TEXT;
