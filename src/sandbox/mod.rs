//! An Azure to practise on.
