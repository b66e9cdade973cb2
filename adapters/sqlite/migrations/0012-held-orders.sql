-- Orders that wait for a person, by customer: read where stock falls short. Written when a hold begins and ends.
CREATE INDEX IX_Orders_Held ON Orders (CustomerId, OrderId) WHERE SagaState = 'held';
