import {
  BadRequestException,
  Injectable,
  StandardSchemaValidationPipe,
  type ArgumentMetadata,
} from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { fieldProblems } from './field-problems.js';

/** Carries a schema's issues from the framework's pipe to {@link ValidationPipe}. */
class SchemaIssues extends Error {
  constructor(readonly issues: readonly StandardSchemaV1.Issue[]) {
    super('The value does not fit its schema.');
  }
}

/**
 * Validates what a handler takes against the schema in its decorator.
 * @throws BadRequestException with a problem for each field.
 */
@Injectable()
export class ValidationPipe extends StandardSchemaValidationPipe {
  constructor() {
    super({ exceptionFactory: (issues) => new SchemaIssues(issues) });
  }

  override async transform<T>(value: T, metadata: ArgumentMetadata): Promise<T> {
    try {
      return await super.transform(value, metadata);
    } catch (error) {
      if (!(error instanceof SchemaIssues)) throw error;
      const errors = fieldProblems(error.issues, value, metadata.data ?? metadata.type);
      const fields = errors.map(({ field, problem }) => `${field} ${problem}`);
      throw new BadRequestException({
        message: `The request cannot be accepted: ${fields.slice(0, 3).join('; ')}${fields.length > 3 ? '; and more' : ''}.`,
        errors,
        kind: 'invalid-request',
      });
    }
  }
}
