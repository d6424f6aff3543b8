// What composition roots use of the resolver.
export { createResolver, type Resolver, type ResolverOptions } from './resolver.ts';
