//! Sets the linker flags that a Node.js addon needs on this platform.

fn main() {
    napi_build::setup();
}
