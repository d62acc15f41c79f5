import {
  BadRequestException,
  Injectable,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';
import type { StandardSchemaV1 } from '@standard-schema/spec';
import { fieldProblems } from './field-problems.js';

type Outcome = StandardSchemaV1.Result<unknown>;

/**
 * Validates what a handler takes against the schema in its decorator, and answers at once where the schema
 * does. Unlike Nest's pipe for standard schemas it strips no keys such as `__proto__`: the service's schemas
 * refuse every field that they do not name.
 *
 * @throws BadRequestException with a problem for each field.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, metadata: ArgumentMetadata): unknown {
    const { schema } = metadata;
    if (!schema || metadata.type === 'custom') return value;
    const outcome = schema['~standard'].validate(value);
    return outcome instanceof Promise
      ? outcome.then((settled) => accepted(settled, value, metadata))
      : accepted(outcome, value, metadata);
  }
}

function accepted(outcome: Outcome, value: unknown, metadata: ArgumentMetadata): unknown {
  if (!outcome.issues) return outcome.value;
  const errors = fieldProblems(outcome.issues, value, metadata.data ?? metadata.type);
  const fields = errors.map(({ field, problem }) => `${field} ${problem}`);
  throw new BadRequestException({
    message: `The request cannot be accepted: ${fields.slice(0, 3).join('; ')}${fields.length > 3 ? '; and more' : ''}.`,
    errors,
    kind: 'invalid-request',
  });
}
