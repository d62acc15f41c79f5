/** The refusals of the users feature, each with the faulty field and the remedy. */
import { BadRequestException, ConflictException, NotFoundException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { USERNAME_CONSTRAINT } from './user.entity.js';

export function userNotFound(id: number): NotFoundException {
  return new NotFoundException(`There is no user ${id}.`);
}

export function sameRegion(): BadRequestException {
  return new BadRequestException({
    kind: 'invalid-request',
    message: 'The users are in that region already.',
    errors: [{ field: 'to', problem: 'is the region in the path', remedy: 'Name another region.' }],
  });
}

/** Awaits a write, and replaces the database error if a username is taken. */
export async function refusingTakenUsernames<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (cause) {
    if (!isTakenUsername(cause)) throw cause;
    const field = {
      field: 'username',
      problem: 'is taken, or comes twice in the request',
      remedy: 'Choose a username that no other user has.',
    };
    const response = { kind: 'username-taken', message: 'A username is taken.', errors: [field] };
    throw new ConflictException(response, { cause });
  }
}

function isTakenUsername(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, constraint } = error.driverError as { code?: string; constraint?: string };
  // A unique violation.
  return code === '23505' && constraint === USERNAME_CONSTRAINT;
}
