// RUN: not attn-opt %s --attn-cpu-pipeline="stop-after=tiles" 2>&1 | FileCheck %s --check-prefix=STAGE
// RUN: not attn-opt %s --attn-cpu-pipeline="verify=tiles" 2>&1 | FileCheck %s --check-prefix=VERIFY
// RUN: attn-opt %s --attn-cpu-pipeline="stop-after=tile verify=tile count-tiles=true" --dump-pass-pipeline 2>&1 | FileCheck %s --check-prefix=TEXT

// A stage that there is not is an error, not all stages.
// STAGE: for the --stop-after option: Cannot find option named 'tiles'!
// VERIFY: for the --verify option: Cannot find option named 'tiles'!

// TEXT: attn-tile{
// TEXT-SAME: count-tiles=true
// TEXT: attn-verify-stage{{.*}}stage=tile
module {
}
