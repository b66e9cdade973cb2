import { describe, expect, it } from 'vitest';
import { smtpFailure } from './smtp-errors.ts';
import { messageIdHeader } from './smtp-mailer.ts';

const replied = (responseCode: number, command: string, code = 'EENVELOPE') =>
  Object.assign(new Error(`${responseCode} said the server`), { responseCode, command, code });
const local = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('a mail that was not taken', () => {
  it.each([
    ['the recipient is unknown', replied(550, 'RCPT TO')],
    ['the content is refused', replied(554, 'DATA', 'EMESSAGE')],
    ['it is too large, said early', replied(552, 'MAIL FROM')],
    [
      'it is too large for what the server announced',
      local('EMESSAGE', 'Message size larger than allowed 10'),
    ],
    ['the recipient is no address', local('EENVELOPE', 'Invalid recipient "a\\nb"')],
  ])('is refused: %s', (_case, error) => {
    expect(smtpFailure(error)).toMatchObject({
      status: 'refused',
      reason: expect.stringContaining(error.message) as string,
    });
  });

  it.each([
    ['the server shuts down', replied(421, 'DATA', 'EMESSAGE')],
    ['the server does not greet', replied(554, 'CONN', 'EPROTOCOL')],
    ['the log-in is wrong', replied(535, 'AUTH PLAIN', 'EAUTH')],
    ['a log-in is needed', replied(530, 'RCPT TO')],
    ['our sender is refused', replied(550, 'MAIL FROM')],
    ['our sender is no address', local('EENVELOPE', 'Invalid sender "x"')],
    ['nobody listens', local('ESOCKET')],
    ['no such host', local('EDNS')],
    ['a time-out', local('ETIMEDOUT')],
    ['TLS fails', local('ETLS')],
    ['an error of another kind', 'boom'],
    ['too many connections from us', replied(451, 'MAIL FROM')],
  ])('waits for the server: %s', (_case, error) => {
    expect(smtpFailure(error).status).toBe('unavailable');
  });

  it.each([
    ['greylisting', replied(451, 'RCPT TO')],
    ['a full mailbox', replied(452, 'RCPT TO')],
    ['its content cannot be looked at now', replied(451, 'DATA', 'EMESSAGE')],
  ])('is for later, and holds up no other: %s', (_case, error) => {
    expect(smtpFailure(error).status).toBe('later');
  });
});

describe('a Message-ID', () => {
  it('is the task’s id at the sender’s domain', () => {
    expect(messageIdHeader('id-1', 'Shop <orders@shop.example>')).toBe('<id-1@shop.example>');
    expect(messageIdHeader('id-1', 'orders@shop.example')).toBe('<id-1@shop.example>');
  });

  it('that is whole already stays as it is', () => {
    expect(messageIdHeader('<id-1@other.example>', 'orders@shop.example')).toBe('<id-1@other.example>');
    expect(messageIdHeader('id-1@other.example', 'orders@shop.example')).toBe('<id-1@other.example>');
  });
});
