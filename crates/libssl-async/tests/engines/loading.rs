//! How engines are loaded, and what is said about those that cannot be.

use std::fs;
use std::path::{Path, PathBuf};

use libssl_async::Origin;
use libssl_async::engine::{CommandInput, Engine, EngineError, Method};
use openssl::hash::MessageDigest;
use openssl::sign::Signer;

use crate::accelerator::{Count, FILE, accelerator, alone, compile, count};
use crate::compiler::{compiler, run, target};
use crate::local_key;

#[tokio::test]
async fn an_engine_tells_what_it_is() {
    let _alone = alone().await;
    let engine = accelerator().id("async-test").load().unwrap();
    assert_eq!((engine.id(), engine.name()), ("async-test".into(), "asynchronous test engine".into()));
    let commands = engine.commands();
    let input = |name| commands.iter().find(|command| command.name == name).unwrap().input;
    assert_eq!(input("ENABLE_EXTERNAL_POLLING"), CommandInput::Nothing);
    assert_eq!(input("QUEUE"), CommandInput::Number);
    assert_eq!(input("NOTIFY"), CommandInput::Text);
    assert_eq!(commands.last().unwrap().description, "Fail to initialise");
    assert_eq!((engine.in_flight(), engine.polls()), (Some(0), 0));
    // Outside a job it computes at once.
    assert_eq!(count(&engine, Count::Taken), 0);
}

#[tokio::test]
async fn a_file_is_loaded_once_at_a_time() {
    let _alone = alone().await;
    let engine = accelerator().load().unwrap();
    let error = accelerator().load().unwrap_err();
    assert!(matches!(&error, EngineError::AlreadyLoaded(path) if *path == *FILE), "{error:?}");
    drop(engine);
    for polled in [None, Some("ENABLE_EXTERNAL_POLLING")] {
        let mut again = accelerator();
        if let Some(command) = polled {
            again = again.command(command, None);
        }
        again.load().unwrap();
    }
}

#[tokio::test]
async fn defaults_end_with_the_engine() {
    let _alone = alone().await;
    let signs = || {
        let key = local_key::rsa();
        Signer::new(MessageDigest::sha256(), &key).unwrap().sign_oneshot_to_vec(b"message").unwrap();
    };
    let engine = accelerator().usual_methods().load().unwrap();
    signs();
    drop(engine);
    // The engine would not come again if anything still had it.
    signs();
    accelerator().load().unwrap();
}

#[tokio::test]
async fn commands_are_checked_against_what_the_engine_lists() {
    let _alone = alone().await;
    let error = accelerator().command("QUEUES", "8").load().unwrap_err();
    let EngineError::CommandUnknown { engine, command, known } = &error else { panic!("{error:?}") };
    assert_eq!((engine.as_str(), command.as_str()), ("async-test", "QUEUES"));
    assert!(known.contains(&"QUEUE".to_owned()));

    for (command, value) in [("QUEUE", Some("many")), ("QUEUE", None), ("POLL", Some("1")), ("NOTIFY", None)] {
        let error = accelerator().command(command, value).load().unwrap_err();
        assert!(matches!(&error, EngineError::CommandValue { command: told, .. } if told == command), "{error:?}");
    }
    let error = accelerator().command("NOTIFY", "by pigeon").load().unwrap_err();
    assert!(matches!(&error, EngineError::CommandRefused { command, .. } if command == "NOTIFY"), "{error:?}");

    // Too late for this one.
    let error = accelerator().command_after("ENABLE_EXTERNAL_POLLING", None).load().unwrap_err();
    assert!(matches!(&error, EngineError::CommandRefused { .. }), "{error:?}");
    let engine = accelerator().load().unwrap();
    engine.control("QUEUE", "16").unwrap();
    let error = engine.control("UNKNOWN", None).unwrap_err();
    assert!(matches!(error, EngineError::CommandUnknown { .. }), "{error:?}");
}

#[tokio::test]
async fn an_engine_that_does_not_initialise_is_named() {
    let _alone = alone().await;
    let error = accelerator().command("FAIL_INIT", None).load().unwrap_err();
    assert!(matches!(&error, EngineError::Initialise { engine, .. } if engine == "async-test"), "{error:?}");
    accelerator().load().unwrap();
}

#[tokio::test]
async fn files_that_are_no_engine_are_named() {
    let _alone = alone().await;
    let error = Engine::by_path("/nowhere/engine.so").load().unwrap_err();
    let EngineError::File { path, error } = error else { panic!("{error:?}") };
    assert_eq!((path.as_path(), error.kind()), (Path::new("/nowhere/engine.so"), std::io::ErrorKind::NotFound));

    let error = Engine::by_id("there-is-none").load().unwrap_err();
    assert!(matches!(&error, EngineError::NotFound(id) if id == "there-is-none"), "{error:?}");

    // Another machine's: the number of the machine is at this place of the header.
    let mut bytes = fs::read(&*FILE).unwrap();
    bytes[18] ^= 0xff;
    let foreign = target("foreign.so");
    fs::write(&foreign, bytes).unwrap();
    let error = Engine::by_path(&foreign).load().unwrap_err();
    assert!(matches!(&error, EngineError::Load { path, .. } if *path == foreign), "{error:?}");

    let text = target("text.so");
    fs::write(&text, "no engine").unwrap();
    let error = Engine::by_path(&text).load().unwrap_err();
    let EngineError::Load { reason, .. } = &error else { panic!("{error:?}") };
    assert!(reason.contains("text.so"), "{reason}");

    // One that is in the file, under another id.
    let error = accelerator().id("another").load().unwrap_err();
    assert!(matches!(&error, EngineError::NotUsable { path, .. } if *path == *FILE), "{error:?}");
    accelerator().load().unwrap();
}

/// A library without any engine in it, but one that uses our libcrypto.
#[tokio::test]
async fn a_library_that_is_no_engine_is_refused() {
    let _alone = alone().await;
    let file = Path::new("/usr/lib/x86_64-linux-gnu/libssl.so.3");
    if file.exists() {
        let error = Engine::by_path(file).load().unwrap_err();
        assert!(matches!(error, EngineError::NotUsable { .. }), "{error:?}");
    }
}

/// It would run, and never see a job: every operation would block.
#[tokio::test]
async fn an_engine_with_a_libcrypto_of_its_own_is_refused() {
    let _alone = alone().await;
    let own = compile("own-libcrypto.so", &["-Wl,-Bsymbolic", "-Wl,--exclude-libs,ALL", "-l:libcrypto.a", "-ldl"]);
    let error = Engine::by_path(&own).load().unwrap_err();
    let EngineError::Libcrypto { path, theirs, ours } = &error else { panic!("{error:?}") };
    assert_eq!((path, theirs.path()), (&own, own.as_path()));
    assert_eq!(*ours, Origin::of_libcrypto());
    let told = error.to_string();
    assert!(told.contains("own-libcrypto.so") && told.contains(&*ours.path().to_string_lossy()), "{told}");
}

/// Its symbols would be found here, and mean something else.
#[tokio::test]
async fn an_engine_for_another_major_version_is_refused() {
    let _alone = alone().await;
    let (library, engine) = with_libcrypto("libcrypto.so.2", "0x20000000L", "another-major.so");
    let error = Engine::by_path(&engine).load().unwrap_err();
    let EngineError::Libcrypto { path, theirs, .. } = &error else { panic!("{error:?}") };
    assert_eq!((path, theirs.path()), (&engine, library.as_path()));
}

/// As that of other vendors, whose symbols are found here all the same.
#[tokio::test]
async fn a_libcrypto_may_have_any_name() {
    let _alone = alone().await;
    let (_library, engine) = with_libcrypto("libcrypto.so.81.3", "OPENSSL_VERSION_NUMBER", "another-name.so");
    Engine::by_path(&engine).load().unwrap();
}

/// An engine that is linked with a libcrypto of this name, which has no more than its version.
fn with_libcrypto(library: &str, version: &str, engine: &str) -> (PathBuf, PathBuf) {
    let source = target(&format!("{library}.c"));
    let function = format!("unsigned long OpenSSL_version_num(void) {{ return {version}; }}\n");
    fs::write(&source, format!("#include <openssl/opensslv.h>\n{function}")).unwrap();
    run(compiler(library).arg(format!("-Wl,-soname,{library}")).arg(source));
    let library = target(library);
    let search = format!("-Wl,-rpath,{}", library.parent().unwrap().display());
    let engine = compile(engine, &["-Wl,--no-as-needed", &search, library.to_str().unwrap()]);
    (library, engine)
}

#[test]
fn methods_have_the_names_of_the_configuration() {
    for (name, method) in [("RSA", Method::Rsa), ("pkey", Method::Pkey), ("PKEY_CRYPTO", Method::Pkey)] {
        assert_eq!(Method::from_name(name), Some(method));
    }
    assert_eq!((Method::from_name("ALL"), Method::Ciphers.to_string()), (None, "CIPHERS".to_owned()));
}
