import { describe, expect, it } from 'vitest'
import { conversionProblem, goText } from './strategic-problem.ts'

describe('a strategic merge patch that does not fit', () => {
  it('is shown as Go prints it', () => {
    expect(goText({ spec: { replicas: 'x', b: [1, true, null], a: {} } })).toBe('map[spec:map[a:map[] b:[1 true <nil>] replicas:x]]')
  })

  it.each([
    ['json: cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32', 'unrecognized type: int32'],
    ['json: cannot unmarshal number into Go struct field ObjectMeta.metadata.name of type string', 'cannot convert int64 to string'],
    ['json: cannot unmarshal string into Go struct field PodSpec.spec.containers of type []v1.Container', 'cannot restore slice from string'],
    ['json: cannot unmarshal array into Go struct field ConfigMap.data of type map[string]string', 'cannot restore map from slice'],
    ['json: cannot unmarshal bool into Go struct field Deployment.spec of type v1.DeploymentSpec', 'cannot restore struct from: bool'],
    ['strict decoding error: unknown field "a"', 'strict decoding error: unknown field "a"'],
  ])('%s', (message, said) => {
    expect(conversionProblem(message)).toBe(said)
  })
})
