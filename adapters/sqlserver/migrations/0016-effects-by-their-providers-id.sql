-- Whose a charge or a label is that somebody has made at the provider's own desk.
CREATE INDEX IX_Payments_Intent ON dbo.Payments (IntentId)
WHERE IntentId IS NOT NULL;

CREATE INDEX IX_Shipments_Provider ON dbo.Shipments (ProviderShipmentId)
WHERE ProviderShipmentId IS NOT NULL;
