import {
  BadRequestException,
  Injectable,
  type ArgumentMetadata,
  type PipeTransform,
} from '@nestjs/common';
import { fieldProblems } from './field-problems.js';

/**
 * Validates the arguments of a handler against the schema in its decorator, synchronously. Unlike Nest's pipe for
 * standard schemas it strips no keys such as `__proto__`: the schemas of the service refuse every field that they do
 * not name.
 *
 * @throws BadRequestException with a problem for each field.
 */
@Injectable()
export class ValidationPipe implements PipeTransform {
  transform(value: unknown, { schema, type, data }: ArgumentMetadata): unknown {
    if (!schema || type === 'custom') return value;
    const outcome = schema['~standard'].validate(value);
    if (outcome instanceof Promise) throw new Error('Schemas of requests must be synchronous.');
    if (!outcome.issues) return outcome.value;
    const errors = fieldProblems(outcome.issues, value, data ?? type);
    const fields = errors.map(({ field, problem }) => `${field} ${problem}`);
    throw new BadRequestException({
      message: `The request cannot be accepted: ${fields.slice(0, 3).join('; ')}${fields.length > 3 ? '; and more' : ''}.`,
      errors,
      kind: 'invalid-request',
    });
  }
}
