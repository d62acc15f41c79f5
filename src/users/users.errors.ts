/** How the users feature refuses, each with the field at fault and the remedy. */
import { BadRequestException, ConflictException, NotFoundException } from '@nestjs/common';
import { QueryFailedError } from 'typeorm';
import { USERNAME_CONSTRAINT } from './user.entity.js';

const UNIQUE_VIOLATION = '23505';

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

/** Awaits a write; where the database finds a username taken, says so instead of its error. */
export async function refusingTakenUsernames<T>(write: Promise<T>): Promise<T> {
  try {
    return await write;
  } catch (error) {
    if (isTakenUsername(error)) throw usernameTaken(error);
    throw error;
  }
}

function usernameTaken(cause: unknown): ConflictException {
  return new ConflictException(
    {
      kind: 'username-taken',
      message: 'A username is taken.',
      errors: [
        {
          field: 'username',
          problem: 'is taken, or comes twice in the request',
          remedy: 'Choose a username that no other user has.',
        },
      ],
    },
    { cause },
  );
}

function isTakenUsername(error: unknown): boolean {
  if (!(error instanceof QueryFailedError)) return false;
  const { code, constraint } = error.driverError as { code?: string; constraint?: string };
  return code === UNIQUE_VIOLATION && constraint === USERNAME_CONSTRAINT;
}
