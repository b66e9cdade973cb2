-- Which orders have not ended, counted every few seconds. Written when an order begins and when it ends, not in between.
CREATE INDEX IX_Orders_InFlight ON dbo.Orders (CreatedAtUtc)
WHERE SagaState <> 'ended';
