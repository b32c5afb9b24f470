/**
 * A catalogue row as the provider would publish it: the input schema that requests are checked against, and the
 * `openapi_schema` that the model's version answers with. Both are generated from the same row, so they agree.
 */
import type { InputField, ModelRow } from '../domain/models/row.js';
import type { InputProperty, InputSchema } from './validate.js';

export function inputSchemaOf(row: ModelRow): InputSchema {
  const fields = Object.entries(row.inputs);
  return {
    required: fields.filter(([, field]) => field.required === true).map(([name]) => name),
    properties: Object.fromEntries(fields.map(([name, field]) => [name, propertyOf(field)])),
  };
}

function propertyOf(field: InputField): InputProperty {
  const { required: _required, type, ...rest } = field;
  if (type === 'uri') return { ...rest, type: 'string', uri: true };
  if (type === 'uris') return { ...rest, type: 'array', uri: true };
  return { ...rest, type };
}

/** Enumerations stand in components of their own, as Replicate's generator puts them. */
export function openapiSchemaOf(row: ModelRow): object {
  const { required, properties } = inputSchemaOf(row);
  const entries = Object.entries(properties);
  const enumerations = entries.flatMap(([name, { enum: values, type, description }]) =>
    values === undefined ? [] : [[name, { title: name, enum: values, type, description }] as const],
  );
  return {
    openapi: '3.0.2',
    info: { title: 'Cog', version: '0.1.0' },
    components: {
      schemas: {
        Input: {
          type: 'object',
          title: 'Input',
          required,
          properties: Object.fromEntries(
            entries.map(([name, property], order) => [name, published(name, property, order)]),
          ),
        },
        Output: outputSchema(row),
        ...Object.fromEntries(enumerations),
      },
    },
  };
}

function published(name: string, property: InputProperty, order: number): object {
  const { enum: values, uri, max_length: maxLength, max_items: maxItems, ...rest } = property;
  const common = { ...rest, title: titleOf(name), 'x-order': order };
  if (values !== undefined) {
    const { type: _type, ...untyped } = common;
    return { ...untyped, allOf: [{ $ref: `#/components/schemas/${name}` }] };
  }
  if (property.type === 'array') {
    return { ...common, items: { type: 'string', format: 'uri' }, ...limit({ maxItems }) };
  }
  return { ...common, ...(uri === true ? { format: 'uri' } : {}), ...limit({ maxLength }) };
}

const limit = (bounds: Record<string, number | undefined>): object =>
  Object.fromEntries(Object.entries(bounds).filter(([, value]) => value !== undefined));

const titleOf = (name: string): string => {
  const words = name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
};

function outputSchema(row: ModelRow): object {
  const uri = { type: 'string', format: 'uri' };
  return row.output === 'uris'
    ? { type: 'array', items: uri, title: 'Output' }
    : { ...uri, title: 'Output' };
}
