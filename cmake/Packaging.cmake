# cmake --install and the .deb: the programs, the manual, the completion and the samples.
install(TARGETS slipway slipway-db slipway-web RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
install(FILES docs/man/slipway.1 docs/man/slipway-db.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)

# The program knows its commands best.
set(COMPLETIONS "${PROJECT_BINARY_DIR}/completions")
file(MAKE_DIRECTORY "${COMPLETIONS}")
foreach(shell bash zsh fish)
  add_custom_command(OUTPUT "${COMPLETIONS}/${shell}" COMMAND slipway completion ${shell} > "${COMPLETIONS}/${shell}"
                     DEPENDS slipway VERBATIM)
endforeach()
add_custom_target(completions ALL DEPENDS "${COMPLETIONS}/bash" "${COMPLETIONS}/zsh" "${COMPLETIONS}/fish")
install(FILES "${COMPLETIONS}/bash" DESTINATION ${CMAKE_INSTALL_DATADIR}/bash-completion/completions RENAME slipway)
install(FILES "${COMPLETIONS}/zsh" DESTINATION ${CMAKE_INSTALL_DATADIR}/zsh/vendor-completions RENAME _slipway)
install(FILES "${COMPLETIONS}/fish" DESTINATION ${CMAKE_INSTALL_DATADIR}/fish/vendor_completions.d RENAME slipway.fish)
install(DIRECTORY config-samples/ DESTINATION ${CMAKE_INSTALL_DOCDIR}/examples PATTERN __pycache__ EXCLUDE)
install(FILES README.md docs/events.md docs/reference.md DESTINATION ${CMAKE_INSTALL_DOCDIR} OPTIONAL)

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME slipway)
set(CPACK_PACKAGE_CONTACT "The Slipway authors <slipway@localhost>")
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "${PROJECT_DESCRIPTION}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_SECTION admin)
# slipway itself is static; the dependencies found are those of slipway-db and slipway-web.
set(CPACK_DEBIAN_PACKAGE_SHLIBDEPS ON)
set(CPACK_DEBIAN_PACKAGE_RECOMMENDS "postgresql-client, libnss-wrapper")
set(CPACK_DEBIAN_PACKAGE_SUGGESTS postgresql)
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_STRIP_FILES ON)
include(CPack)
